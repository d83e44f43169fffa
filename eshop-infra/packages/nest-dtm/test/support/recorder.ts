import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a branch answers. */
export type Answer = 'done' | 'refused' | 'later';

/** Branches that do nothing but take down each call, as `01 action`. */
export interface Recorder {
  /** Address of any branch. */
  url: string;
  /** What the next calls of a gid are answered. `undefined`: `done`. */
  answer(gid: string, answer: (branch: string) => Answer | Promise<Answer> | undefined): void;
  calls(gid: string): string[];
  close(): Promise<void>;
}

const STATUS: Record<Answer, number> = { done: 200, refused: 409, later: 500 };

/** Starts the branches, over HTTP, which DTM calls the same way whatever it was told of them by. */
export async function startRecorder(): Promise<Recorder> {
  const calls = new Map<string, string[]>();
  const answers = new Map<string, (branch: string) => Answer | Promise<Answer> | undefined>();
  const server = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://recorder');
    const gid = searchParams.get('gid') ?? '';
    const branch = `${searchParams.get('branch_id')} ${searchParams.get('op')}`;
    calls.set(gid, [...(calls.get(gid) ?? []), branch]);
    const answer = (await answers.get(gid)?.(branch)) ?? 'done';
    request.resume();
    response.writeHead(STATUS[answer]).end(answer === 'refused' ? 'refused' : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (gid, answer) => answers.set(gid, answer),
    calls: (gid) => calls.get(gid) ?? [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
