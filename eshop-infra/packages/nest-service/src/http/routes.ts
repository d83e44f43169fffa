import type { FastifyInstance } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { ROUTER_OPTIONS } from './router-options.js';

/** What a path that is found has; a URL that cannot be read is "found" too, without it. */
const ROUTE = Symbol('route');

/**
 * Knows which methods a request target has, to tell "no such path" from "not this method". Asked on failure only. Fastify shows its
 * routes by their patterns, not by what they match, so the same router with the same options is filled a second time.
 */
export class RouteTable {
  private readonly router = findMyWay(ROUTER_OPTIONS);
  private readonly methods = new Set<HTTPMethod>();

  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat() as HTTPMethod[]) {
        // Fastify has refused what is there twice, but announces a HEAD that replaces its own.
        if (this.router.hasRoute(one, url)) continue;
        this.router.on(one, url, () => undefined, ROUTE);
        this.methods.add(one);
      }
    });
  }

  /** The methods of a request target in whatever form it came: with a query, percent-encoded, or a whole URL. */
  methodsOf(target: string): string[] {
    return [...this.methods].filter((method) => this.router.find(method, target)?.store === ROUTE);
  }
}
