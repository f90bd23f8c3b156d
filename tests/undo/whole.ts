/** All that stands in all targets, to be compared whole. */

import { kindOrder } from '../../provisioning/policy/resource.ts';
import type { Connector, Observed } from '../../provisioning/target/contract.ts';

/** `target kind/id` -> the thing. */
export type Whole = ReadonlyMap<string, Observed>;

export async function observeWhole(connectors: ReadonlyMap<string, Connector>): Promise<Whole> {
  const whole = new Map<string, Observed>();
  for (const [target, connector] of connectors) {
    for (const kind of kindOrder[connector.type]) {
      for await (const one of connector.observe({ kind })) {
        whole.set(`${target} ${kind}/${one.externalId}`, one);
      }
    }
  }
  return whole;
}

export interface Difference {
  readonly at: string;
  readonly was: Observed | null;
  readonly is: Observed | null;
}

export function compareWhole(p: { readonly was: Whole; readonly is: Whole }): Difference[] {
  const all = new Set([...p.was.keys(), ...p.is.keys()]);
  return [...all].flatMap((at) => {
    const [was, is] = [p.was.get(at) ?? null, p.is.get(at) ?? null];
    return sorted(was) === sorted(is) ? [] : [{ at, was, is }];
  });
}

/** JSON with sorted keys, and lists of texts sorted: servers give members in no special order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (Array.isArray(one)) {
      return one.map((entry) => (typeof entry === 'object' ? sorted(entry) : entry)).toSorted();
    }
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Whether what stands there is shut: nobody can sign in to it, write in it, or is in it. */
export function isShut({ body }: Observed): boolean {
  if ('active' in body) return body['active'] === false;
  const access = body['access'];
  if (typeof access === 'object' && access !== null) {
    return Object.values(access).every((bits) => Number(bits) <= 1);
  }
  return body['members'] === 0;
}
