import type { Behaviour } from './behaviour.ts';
import type { EditLimit } from './edit-limit.ts';
import type { Answer, Ask } from './exchange.ts';
import { fieldOf } from './exchange.ts';
import { type OcsResult, refuse } from './ocs.ts';
import type { Caller } from './sign-in.ts';
import { findUser, type State, type User } from './state.ts';

/** What a handler works with. */
export interface Call {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly editLimit: EditLimit;
  readonly ask: Ask;
  readonly caller: Caller;
  /** Decoded path parameters. */
  readonly params: readonly string[];
  /** Set by a fault: the handler stops after it wrote its first row. */
  readonly breakOff: boolean;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Segments; `*` is a parameter, which may hold an encoded slash. */
  readonly path: string;
  readonly needs: 'login' | 'subadmin' | 'admin';
  /** Writes want a confirmed password. */
  readonly confirm: boolean;
  readonly handle: (call: Call) => OcsResult | Answer;
}

export function matchRoute(
  routes: readonly Route[],
  path: string,
): { readonly candidates: readonly Route[]; readonly params: readonly string[] } {
  const given = path.split('/').filter((segment) => segment !== '');
  let best: { candidates: Route[]; params: string[] } = { candidates: [], params: [] };
  for (const route of routes) {
    const wanted = route.path.split('/');
    if (wanted.length !== given.length) continue;
    const params: string[] = [];
    const fits = wanted.every((segment, index) => {
      const value = given[index] ?? '';
      if (segment === '*') params.push(decodeURIComponent(value));
      return segment === '*' || segment === value;
    });
    if (!fits) continue;
    // A literal segment (`details`) wins over a parameter in the same place.
    if (best.candidates.length === 0 || params.length < best.params.length) {
      best = { candidates: [route], params };
    } else if (params.length === best.params.length) {
      best.candidates.push(route);
    }
  }
  return best;
}

export function isSubadmin(caller: Caller): boolean {
  return caller.admin || caller.user.subadmin.length > 0;
}

/** An administrator governs everybody, a group administrator the members of the own groups. */
export function governs(caller: Caller, user: User): boolean {
  if (caller.admin) return true;
  return user.groups.some((group) => caller.user.subadmin.includes(group));
}

export function userParam(call: Call): User | undefined {
  return findUser(call.state, call.params[0] ?? '');
}

export function textField(call: Call, name: string): string {
  return fieldOf(call.ask, name) ?? '';
}

/** Offset and limit, or null where the real server breaks on them (recording nextcloud-34.0.1/08). */
export function readPage(call: Call): { readonly limit: number; readonly offset: number } | null {
  const limit = call.ask.query.get('limit');
  const offset = Number(call.ask.query.get('offset') ?? '0');
  if (limit !== null && Number(limit) <= 0) return null;
  if (offset < 0) return null;
  return { limit: limit === null ? Number.POSITIVE_INFINITY : Number(limit), offset };
}

export function crash(): OcsResult {
  return refuse(996, 'Internal Server Error\n');
}
