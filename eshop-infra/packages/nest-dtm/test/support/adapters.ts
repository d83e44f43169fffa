import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** Nest's HTTP adapters by name. */
export const adapters: Record<'fastify' | 'express', () => AbstractHttpAdapter> = {
  fastify: () => new FastifyAdapter(),
  express: () => new ExpressAdapter(),
};

/** One of Nest's HTTP adapters. */
export type AdapterName = keyof typeof adapters;

/** Every way in which a branch can be served. */
export const transports = [
  ['grpc', 'fastify'],
  ['http', 'fastify'],
  ['http', 'express'],
] as const satisfies (readonly ['grpc' | 'http', AdapterName])[];
