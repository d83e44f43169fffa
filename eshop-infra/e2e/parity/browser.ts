import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from '../../src/install/chromium.ts';

interface Answer {
  id?: number;
  method?: string;
  sessionId?: string;
  result?: Record<string, unknown>;
  error?: { message: string };
}

/** A headless Chromium of its own, driven by the DevTools protocol. */
export class Browser {
  private readonly waiting = new Map<number | string, (answer: Answer) => void>();
  private readonly process: ChildProcess;
  private readonly profile: string;
  private readonly socket: WebSocket;
  private last = 0;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.process = process;
    this.profile = profile;
    this.socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      const key = answer.id ?? `${answer.method} ${answer.sessionId}`;
      this.waiting.get(key)?.(answer);
      this.waiting.delete(key);
    });
  }

  static async start(): Promise<Browser> {
    const binary = chromium();
    if (!binary) throw new Error('there is no Chromium; "eshop test e2e" installs it');
    const profile = await mkdtemp(join(tmpdir(), 'eshop-chromium-'));
    const child = spawn(
      binary,
      ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'].concat(
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
        'about:blank',
      ),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const socket = new WebSocket(await debuggerUrl(child));
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error('Chromium does not take the connection')));
    });
    return new Browser(child, profile, socket);
  }

  /** Opens a page and gives back how to run a script in it; the script's value must be JSON. */
  async open(url: string): Promise<(script: string) => Promise<unknown>> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    await this.send('Page.enable', {}, sessionId as string);
    const loaded = new Promise((resolve) => this.waiting.set(`Page.loadEventFired ${sessionId}`, resolve));
    await this.send('Page.navigate', { url }, sessionId as string);
    await loaded;
    return async (script) => {
      const parameters = { expression: script, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await this.send('Runtime.evaluate', parameters, sessionId as string);
      if (exceptionDetails) throw new Error(`in the page: ${JSON.stringify(exceptionDetails).slice(0, 500)}`);
      return (result as { value?: unknown }).value;
    };
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.socket.close();
    this.process.kill();
    await ended;
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }

  private send(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result ?? {}),
      );
      this.socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  }
}

/** Where Chromium says that it listens. */
async function debuggerUrl(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('Chromium has no output');
  const said: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    const [, url] = /^DevTools listening on (ws:\S+)/.exec(line) ?? [];
    if (url) {
      child.stderr.resume();
      return url;
    }
    said.push(line);
  }
  throw new Error(`Chromium does not start: ${said.join('\n').slice(0, 1000)}`);
}
