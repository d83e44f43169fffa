import { DtmInvalidOption } from '../errors.js';
import type { BranchMethod, MethodAs, SameMessage } from './branch-method.js';

/** What a method does in a transaction: in a saga or a workflow the first two, in a TCC the others. */
export type Role = 'action' | 'compensation' | 'try' | 'confirm' | 'cancel';

/** Key of the role of a method that is paired. */
export const ROLE = Symbol('DtmRole');

/** Any method that is not paired with others, or one that is paired in this role. */
export interface InRole<R extends Role> {
  /** The role; absent where the method is not paired. */
  readonly [ROLE]?: R;
}

/** A method that is paired with others, and so has one role only. */
export type Paired<R extends Role, Request, Reply = unknown> = BranchMethod<Request, Reply> & {
  /** The role. */
  readonly [ROLE]: R;
};

/** An action and its compensation. Made by {@link compensable}. */
export interface Compensable<Request, Reply = unknown> {
  /** What is done. */
  readonly action: Paired<'action', Request, Reply>;
  /** What takes it back. */
  readonly compensation: Paired<'compensation', Request>;
}

/** The three methods of a TCC's branch. Made by {@link tccBranch}. */
export interface TccBranch<Request, Reply = unknown> {
  /** What reserves. */
  readonly try: Paired<'try', Request, Reply>;
  /** What makes the reservation final. */
  readonly confirm: Paired<'confirm', Request>;
  /** What gives the reservation back. */
  readonly cancel: Paired<'cancel', Request>;
}

/**
 * Pairs an action with its compensation, once, for those who submit (`saga.step(pair, payload)`, `workflow.branch(pair, payload)`) and
 * for the controller (`@DtmAction(pair)`, `@DtmCompensation(pair)`): none of them can take one for the other.
 *
 * @throws {DtmInvalidOption} both are one method, of two transports, or paired otherwise already
 */
export function compensable<Request, Reply = unknown, Compensation = Request>(
  action: MethodAs<'action', Request, Reply>,
  compensation: MethodAs<'compensation', Compensation> & SameMessage<Request, Compensation>,
): Compensable<Request, Reply> {
  assertRoles({ action, compensation });
  assertOneTransport({ action, compensation }, 'compensation');
  return {
    action: inRole('action', action),
    // Both take the same message, which the compiler has seen to.
    compensation: inRole<'compensation', Request>('compensation', compensation as BranchMethod<Request>),
  };
}

/**
 * Puts the three methods of a TCC's branch together, once, for those who submit (`tcc.branch(methods, payload)`,
 * `workflow.tcc(methods, payload)`) and for the controller (`@DtmTry(methods)`, `@DtmConfirm(methods)`, `@DtmCancel(methods)`).
 *
 * @throws {DtmInvalidOption} two are one method, of two transports, or paired otherwise already
 */
export function tccBranch<Request, Reply = unknown, Confirm = Request, Cancel = Request>(
  tryMethod: MethodAs<'try', Request, Reply>,
  confirm: MethodAs<'confirm', Confirm> & SameMessage<Request, Confirm>,
  cancel: MethodAs<'cancel', Cancel> & SameMessage<Request, Cancel>,
): TccBranch<Request, Reply> {
  const methods = { try: tryMethod, confirm, cancel };
  assertRoles(methods);
  assertOneTransport(methods, 'try');
  return {
    try: inRole('try', tryMethod),
    confirm: inRole<'confirm', Request>('confirm', confirm as BranchMethod<Request>),
    cancel: inRole<'cancel', Request>('cancel', cancel as BranchMethod<Request>),
  };
}

/** The methods of one step by their roles; `null` where there is none. */
export type Roles = Partial<Record<Role, BranchMethod<never> | null>>;

/**
 * Throws {@link DtmInvalidOption} unless the methods can be those of one step: they are methods, paired for their roles if at all,
 * and no two are the same. `field` is what the roles' names are put behind.
 */
export function assertRoles(roles: Roles, field = '', gid?: string): void {
  const at = (role: string): string => (field === '' ? role : `${field}.${role}`);
  const seen = new Map<string, string>();
  for (const [role, method] of Object.entries(roles)) {
    if (method === null) continue;
    assertMethod(method, at(role), gid);
    const paired = (method as InRole<Role>)[ROLE];
    if (paired !== undefined && paired !== role)
      throw new DtmInvalidOption(at(role), `is paired as ${paired}: were two swapped?`, { gid });
    const where = address(method);
    const other = seen.get(where);
    if (other !== undefined) throw new DtmInvalidOption(at(role), `is the same method as ${other}: ${where}`, { gid });
    seen.set(where, role);
  }
}

/** Throws {@link DtmInvalidOption} unless DTM can call all of them: it has one transport for a step. */
export function assertOneTransport(roles: Roles, field: string, gid?: string): void {
  const methods = Object.values(roles).filter((method) => method !== null);
  if (new Set(methods.map((method) => 'url' in method)).size > 1)
    throw new DtmInvalidOption(field, `${Object.keys(roles).join(', ')} must be of one transport`, { gid });
}

/** Throws {@link DtmInvalidOption} unless it is a method: a name that is spelled wrong gives `undefined`. */
export function assertMethod(method: unknown, field: string, gid?: string): void {
  const { path, url, requestSerialize } = Object(method) as Record<string, unknown>;
  if (typeof (url ?? path) !== 'string' || typeof requestSerialize !== 'function')
    throw new DtmInvalidOption(field, `is no branch method: ${String(method)}`, { gid });
}

/** Throws {@link DtmInvalidOption} when a back-check is something else, too: an answer of that would be taken for its own. */
export function assertBackCheck(method: BranchMethod<never>, gid: string): void {
  const paired = (method as InRole<Role>)[ROLE];
  if (paired !== undefined) throw new DtmInvalidOption('backCheck', `is paired as ${paired}`, { gid });
}

/** What tells two methods apart. */
function address(method: BranchMethod<never>): string {
  if (!('url' in method)) return method.path;
  if (!URL.canParse(method.url)) return method.url;
  const { origin, pathname, search } = new URL(method.url);
  return origin + pathname.replace(/\/+$/, '') + search;
}

/** A method of its own: the given one may stand in several pairs. */
function inRole<R extends Role, Request, Reply = unknown>(
  role: R,
  method: BranchMethod<Request, Reply>,
): Paired<R, Request, Reply> {
  return Object.assign(Object.create(method), method, { [ROLE]: role });
}
