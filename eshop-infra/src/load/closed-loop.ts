import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, isOk } from './http-client.ts';

export interface LoopOptions {
  /** Clients that each send the next request when the last one is answered. */
  clients: number;
  /** For how long new requests are sent; those under way are waited for. */
  seconds: number;
  /** At most so many requests in all. */
  count?: number;
  /** Sends one request; `number` counts from 0. */
  send: (number: number) => Promise<Answer>;
  /** Which answers are the wanted ones; default: successes. */
  wanted?: (answer: Answer) => boolean;
}

export interface LoopResult {
  /** Requests answered as wanted. */
  ok: number;
  /** From the first request to the last answer, in seconds. */
  seconds: number;
  /** Of the wanted answers, in ms. */
  latencies: number[];
  /** Everything else, by `status code text` or the transport's error code. */
  errors: Record<string, number>;
}

const PAUSE_AFTER_TRANSPORT_ERROR_MS = 50;

/** Runs clients in a closed loop until the time or the count is used up, whichever comes first. */
export async function closedLoop({
  clients,
  seconds,
  count = Infinity,
  send,
  wanted = isOk,
}: LoopOptions): Promise<LoopResult> {
  const latencies: number[] = [];
  const errors: Record<string, number> = {};
  const failed = (reason: string) => {
    errors[reason] = (errors[reason] ?? 0) + 1;
  };
  let sent = 0;
  const began = performance.now();
  const end = began + seconds * 1000;
  const client = async () => {
    while (sent < count && performance.now() < end) {
      const start = performance.now();
      try {
        const answer = await send(sent++);
        if (wanted(answer)) latencies.push(performance.now() - start);
        else failed(`${answer.status} ${answer.code} ${answer.msg}`.slice(0, 120));
      } catch (error) {
        failed(transportError(error));
        // A server that refuses connections must not be hammered.
        await pause(PAUSE_AFTER_TRANSPORT_ERROR_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { ok: latencies.length, seconds: (performance.now() - began) / 1000, latencies, errors };
}

function transportError(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return String(code ?? message ?? error);
}
