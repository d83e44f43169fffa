import { DtmInvalidOption, DtmOutcomeUnknown, DtmProtocolError, DtmUnavailable } from '../errors.js';
import type { DtmServer } from '../server/dtm-server.js';
import type { HttpAnswer } from '../server/http-client.js';
import type { BranchMethod, MethodAs } from '../transaction/branch-method.js';
import { branchUrl } from '../transaction/branch-target.js';
import { Budget, backOff } from '../transaction/budget.js';
import { assertRoles } from '../transaction/compensable.js';
import { assertTopic } from './topic-name.js';

/** Who gets the messages of a topic. */
export interface TopicSubscriber {
  /** As DTM calls it: `host:port/package.Service/Method`, or `http://…`. */
  url: string;
  /** What was noted when it subscribed. */
  remark: string;
}

/** How a topic is changed. */
export interface TopicOptions {
  /** Name of the DTM server among the module's `servers`. Default `default`. */
  server?: string;
  /** Kept with a subscription, for people. */
  remark?: string;
}

/** What the topics need of the module. */
export interface TopicsContext {
  server(name: string | undefined): DtmServer;
  branches: Readonly<Record<string, string>>;
}

/**
 * The topics of a DTM server: who gets a message that names a topic instead of a method. Every call may be repeated, and tells
 * when it is done whether it was needed or not.
 *
 * DTM reads topics from its store every ConfigUpdateInterval (3 s): until then a message to a new topic is a `DtmRefused`, and
 * a new subscriber gets none. Topics on a DTM with Redis store are not reliable: it looks at a part of the keys only.
 */
export class Topics {
  constructor(private readonly context: TopicsContext) {}

  /**
   * Has a method get the messages of a topic, which is made when there is none.
   *
   * @throws {DtmUnavailable} no answer within the deadline
   * @throws {DtmOutcomeUnknown} the server did not keep it within the deadline; repeat it
   */
  async subscribe(topic: string, method: MethodAs<'action', never>, options: TopicOptions = {}): Promise<void> {
    assertRoles({ action: method }, 'method');
    const url = this.#url(topic, method);
    if (!/^[\x20-\x7e]{0,200}$/.test(options.remark ?? ''))
      throw new DtmInvalidOption('remark', 'must be printable ASCII, at most 200 characters');
    const path = `/api/dtmsvr/subscribe?${new URLSearchParams({ topic, url, remark: options.remark ?? '' })}`;
    await this.#change('GET', path, topic, options.server, (now) => now.some((subscriber) => subscriber.url === url));
  }

  /** Has a method no longer get the messages of a topic. Messages stored before still reach it. Errors as `subscribe`. */
  async unsubscribe(topic: string, method: BranchMethod<never>, options: TopicOptions = {}): Promise<void> {
    const url = this.#url(topic, method);
    const path = `/api/dtmsvr/unsubscribe?${new URLSearchParams({ topic, url })}`;
    await this.#change('GET', path, topic, options.server, (now) => now.every((subscriber) => subscriber.url !== url));
  }

  /**
   * Removes a topic from the store. DTM 1.18 goes on sending to its last subscribers until it is restarted, and until then takes
   * no notice of a new topic with this name: to stop messages, unsubscribe. Errors as `subscribe`.
   */
  async delete(topic: string, options: TopicOptions = {}): Promise<void> {
    assertTopic(topic, 'topic');
    const path = `/api/dtmsvr/topic/${topic}`;
    await this.#change('DELETE', path, topic, options.server, (now) => now.length === 0);
  }

  /**
   * Who gets the messages of a topic, as the store has it; empty when there is no such topic.
   *
   * @throws {DtmUnavailable} no answer within the deadline
   * @throws {DtmProtocolError} an answer DTM 1.18 never gives
   */
  subscribers(topic: string, options: TopicOptions = {}): Promise<TopicSubscriber[]> {
    assertTopic(topic, 'topic');
    return this.#subscribers(topic, this.context.server(options.server));
  }

  #url(topic: string, method: BranchMethod<never>): string {
    assertTopic(topic, 'topic');
    return branchUrl(method, 'method', '', this.context);
  }

  /** DTM's answer says only whether a change was made; what counts is how things are afterwards. */
  async #change(
    verb: 'GET' | 'DELETE',
    path: string,
    topic: string,
    serverName: string | undefined,
    done: (now: TopicSubscriber[]) => boolean,
  ): Promise<void> {
    const server = this.context.server(serverName);
    const budget = new Budget(server.deadlineMs);
    for (let attempt = 0; ; attempt++) {
      const answer = await server.http(verb, path, budget.left());
      if (answer.statusCode === 200) return;
      if (answer.statusCode !== 500) throw strange(answer);
      const now = await this.#lookUp(topic, server, budget);
      if (now && done(now)) return;
      if (!now || budget.spent)
        throw new DtmOutcomeUnknown(`DTM did not change the topic: ${answer.body.slice(0, 200)}`);
      await backOff(attempt, budget);
    }
  }

  /** As the store has it; asked until it answers. `undefined`: it did not in time. */
  async #lookUp(topic: string, server: DtmServer, budget: Budget): Promise<TopicSubscriber[] | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#subscribers(topic, server, budget.left());
      } catch (error) {
        if (!(error instanceof DtmUnavailable)) throw error;
        if (budget.spent) return undefined;
        await backOff(attempt, budget);
      }
    }
  }

  async #subscribers(topic: string, server: DtmServer, deadlineMs?: number): Promise<TopicSubscriber[]> {
    const answer = await server.http('GET', `/api/dtmsvr/queryKV?cat=topics&key=${topic}`, deadlineMs);
    if (answer.statusCode === 500 && read(answer.body, 'message') !== undefined)
      throw new DtmUnavailable(`DTM cannot tell of a topic: ${answer.body.slice(0, 200)}`);
    const rows = read(answer.body, 'kv');
    if (answer.statusCode !== 200 || !Array.isArray(rows)) throw strange(answer);
    if (rows.length === 0) return [];
    const subscribers: unknown = parse(String((rows[0] as { v?: unknown }).v));
    if (!Array.isArray(subscribers)) throw strange(answer);
    return subscribers.map(({ url, remark }: Partial<TopicSubscriber>) => ({
      url: String(url),
      remark: String(remark ?? ''),
    }));
  }
}

function strange({ statusCode, body }: HttpAnswer): DtmProtocolError {
  return new DtmProtocolError(`DTM answered a call about a topic with ${statusCode}: ${body.slice(0, 200)}`);
}

function read(body: string, key: string): unknown {
  const value = parse(body);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
