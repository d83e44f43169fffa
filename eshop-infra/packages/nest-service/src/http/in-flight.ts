import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toContractError } from '../errors/to-contract-error.js';
import { Gate } from '../gate.js';
import { refuse } from './framework-errors.js';
import { contextOf } from './request-state.js';

/** A request that is counted. */
interface Place {
  answered: boolean;
  gone: boolean;
  readonly leave: () => void;
}

/**
 * Answers 429 to what comes while `limit` requests are under way, before it costs anything. A request counts until its answer
 * is sent. One whose caller went away counts as long as it is worked on, or who gives up and asks again would pile up work.
 */
export function limitInFlight(fastify: FastifyInstance, limit: number, isExempt: (path: string) => boolean): void {
  const gate = new Gate({ limit, refusal: 'too many requests at a time, come back later' });
  const places = new WeakMap<FastifyRequest, Place>();

  fastify.addHook('onRequest', (request, reply, done) => {
    if (isExempt(request.routeOptions.url ?? '')) return done();
    const { replyShare } = contextOf(request);
    let leave: () => void;
    try {
      leave = gate.enterNow();
    } catch (error) {
      return refuse(toContractError(error), request, reply);
    }
    const place: Place = {
      answered: false,
      gone: false,
      leave: () => {
        leave();
        replyShare?.end();
      },
    };
    places.set(request, place);
    reply.raw.once('close', () => {
      place.gone = true;
      replyShare?.abandon();
      if (place.answered) return place.leave();
      // An answer that never comes, as of a body that broke off, must not keep the place.
      const { deadline = Date.now() } = contextOf(request);
      setTimeout(place.leave, Math.max(0, deadline - Date.now())).unref();
    });
    done();
  });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const place = places.get(request);
    if (place) {
      place.answered = true;
      if (place.gone) place.leave();
      else if (contextOf(request).replyShare?.holds) cutWhenNotTaken(reply);
    }
    done();
  });
}

/** How long a client may take for a large reply, ms: others wait for the memory that it holds. */
const TAKE_MS = 30_000;

function cutWhenNotTaken({ raw }: FastifyReply): void {
  const timer = setTimeout(() => raw.destroy(), TAKE_MS).unref();
  raw.once('close', () => clearTimeout(timer));
}
