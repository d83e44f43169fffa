import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext } from '../create-context.ts';
import { manifestOf, packageRounds } from './repositories.ts';

describe('the rounds of packages', () => {
  const rounds = packageRounds(createContext());
  const round = new Map(rounds.flatMap((all, index) => all.map((one) => [manifestOf(one).name, index] as const)));

  it.each(rounds.flat())('$name comes behind those of ours that it is made with', (repository) => {
    const manifest = JSON.parse(readFileSync(join(repository.directory, 'package.json'), 'utf8')) as Record<
      string,
      object
    >;
    const wanted = ['dependencies', 'devDependencies', 'peerDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    );
    const ours = wanted.filter((name) => round.has(name));
    const own = round.get(manifestOf(repository).name) ?? 0;
    expect(ours.filter((name) => (round.get(name) ?? 0) >= own)).toEqual([]);
  });
});
