import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext } from '../create-context.ts';
import { infraRepository, packageRounds, serviceRepositories } from '../packages/repositories.ts';

const context = createContext();
const services = serviceRepositories(context);
const [proto] = packageRounds(context).flat();
const repositories = [...services, ...(proto ? [proto] : []), infraRepository(context)];

const missing = (directory: string, files: readonly string[]) =>
  files.filter((file) => !existsSync(join(directory, file)));
const stagesOf = (directory: string) =>
  [...readFileSync(join(directory, 'Jenkinsfile'), 'utf8').matchAll(/stage\('(.+)'\)/g)].map(([, stage]) => stage);

describe.each(repositories)('the repository of $name', ({ directory }) => {
  it('has what a team needs that takes it over', () => {
    const files = [
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      '.gitignore',
      '.editorconfig',
      'biome.json',
      'package-lock.json',
    ];
    expect(missing(directory, [...files, '.github/workflows/ci.yml', 'Jenkinsfile'])).toEqual([]);
  });

  it('has the scripts that are the same everywhere', () => {
    const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { scripts: object };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['build', 'lint', 'typecheck', 'test']));
  });
});

describe.each(services)('the service repository of $name', ({ directory }) => {
  it('can be built and deployed by itself', () => {
    const manifests = ['kustomization', 'deployment', 'service', 'scaling', 'network-policy'];
    const kubernetes = manifests.map((name) => `deploy/kubernetes/${name}.yaml`);
    expect(
      missing(directory, ['Dockerfile', '.dockerignore', 'compose.yaml', 'deploy/README.md', ...kubernetes]),
    ).toEqual([]);
  });

  it('tells what it is, its API, its settings, how to run it alone, how it is deployed, in this order', () => {
    const headings = [...readFileSync(join(directory, 'README.md'), 'utf8').matchAll(/^#+ (.+)$/gm)].map(
      ([, text]) => text,
    );
    expect(headings[0]).toMatch(/^eshop-/);
    const wanted = ['API', 'Settings', 'Run and test it alone', 'Deploy'];
    expect(headings.filter((heading) => wanted.includes(heading ?? ''))).toEqual(wanted);
  });

  it('is taken through the same stages by Jenkins', () => {
    expect(stagesOf(directory)).toEqual([
      'Check Build Branch',
      'Check Code',
      'Unit Testing',
      'Compile Code',
      'Build Image',
      'Push Image',
      'Deploy to k8s',
    ]);
  });
});
