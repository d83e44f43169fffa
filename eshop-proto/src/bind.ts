import 'reflect-metadata';
import { Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { MethodContract, ServiceContract } from './contract.js';
import { requestParam } from './request-param.js';
import { documentOperation } from './swagger/operation.js';

const VERBS = { get: Get, post: Post, put: Put, delete: Delete } as const;
const CONTROLLER_METADATA = '__controller__';

type Class = new (...args: never[]) => object;

/** `/api/v1/stock/{id}` in the router's spelling: `/api/v1/stock/:id`. */
function routerPath(route: string): string {
  return route.replaceAll(/\{(\w+)\}/g, ':$1');
}

/**
 * The method itself, not an inherited one: Nest keeps metadata on the function, and two classes that inherit it would
 * overwrite each other's.
 */
function ownDescriptor(target: Class, key: string): PropertyDescriptor {
  const prototype = target.prototype as Record<string, (...args: unknown[]) => unknown>;
  const own = Object.getOwnPropertyDescriptor(prototype, key);
  if (own) return own;
  const inherited = prototype[key];
  if (typeof inherited !== 'function') throw new TypeError(`${target.name} has no method ${key}`);
  const descriptor: PropertyDescriptor = {
    configurable: true,
    enumerable: false,
    writable: true,
    value(this: unknown, ...args: unknown[]): unknown {
      return inherited.apply(this, args);
    },
  };
  Object.defineProperty(prototype, key, descriptor);
  return descriptor;
}

function bindMethod(target: Class, contract: ServiceContract, method: MethodContract): void {
  const { prototype } = target;
  const descriptor = ownDescriptor(target, method.key);
  Reflect.defineMetadata('design:paramtypes', [Object], prototype, method.key);
  requestParam(method)(prototype, method.key, 0);
  const decorators: MethodDecorator[] = [VERBS[method.verb](routerPath(method.route)), HttpCode(200)];
  if (contract.grpcPort !== null) decorators.push(GrpcMethod(contract.fullName, method.key));
  decorators.push(...documentOperation(method));
  for (const decorate of decorators) decorate(prototype, method.key, descriptor);
}

/**
 * The class decorator that binds a controller's methods to the rpcs with the keys given: gRPC method, HTTP route,
 * request validation and Swagger operation. Makes the class a controller unless it is one.
 */
export function bindController(contract: ServiceContract, keys: readonly string[]): (target: Class) => void {
  return (target) => {
    for (const method of contract.methods) {
      if (keys.includes(method.key)) bindMethod(target, contract, method);
    }
    if (!Reflect.hasOwnMetadata(CONTROLLER_METADATA, target)) Controller()(target);
  };
}
