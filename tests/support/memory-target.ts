import type { Body, ResourceKind, TargetType } from '../../provisioning/policy/resource.ts';
import type { Connector, Outcome, Work } from '../../provisioning/target/contract.ts';
import type { PaceState } from '../../provisioning/target/pace/pace.ts';

/** A target that keeps what it is given, and can be told to misbehave for chosen rows. */
export interface MemoryTarget extends Connector {
  readonly held: ReadonlyMap<string, Body>;
  /** Refs in the order in which they were written. */
  readonly writes: readonly string[];
  misbehave(rule: ((work: Work) => Outcome | null) | null): void;
}

export function openMemoryTarget(p: {
  readonly name: string;
  readonly type: TargetType;
  readonly claimSize?: number;
}): MemoryTarget {
  const held = new Map<string, Body>();
  const writes: string[] = [];
  let rule: ((work: Work) => Outcome | null) | null = null;
  const kinds: readonly ResourceKind[] = [
    'group',
    'account',
    'folder',
    'category',
    'course',
    'cohort',
  ];

  return {
    name: p.name,
    type: p.type,
    claimSize: Object.fromEntries(kinds.map((kind) => [kind, p.claimSize ?? 10])),
    pace: steadyPace,
    held,
    writes,
    misbehave(next) {
      rule = next;
    },
    async prepare() {},
    async check() {
      return [{ name: 'memory', ok: true, message: 'Always there.' }];
    },
    async *observe({ kind }) {
      for (const [ref, body] of held) {
        if (!ref.startsWith(`${kind}/`)) continue;
        yield { kind, externalId: ref, key: ref.slice(kind.length + 1), body: { ...body } };
      }
    },
    async apply({ batch, externalIds }) {
      const outcomes: Outcome[] = [];
      for (const work of batch) {
        const odd = rule?.(work) ?? null;
        if (odd !== null) {
          outcomes.push(odd);
          continue;
        }
        const ref = `${work.kind}/${work.key}`;
        writes.push(ref);
        if (work.desired === null) held.delete(ref);
        else held.set(ref, work.desired);
        const people = accountKeys(work.desired);
        const there = await externalIds({ kind: 'account', keys: people });
        const incomplete = people.filter((key) => !there.has(key));
        outcomes.push({ state: 'applied', externalId: ref, incomplete });
      }
      return outcomes;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Of a target that knows no crowding. */
export function steadyPace(): PaceState {
  return {
    limit: 4,
    cap: 4,
    inFlight: 0,
    waiting: 0,
    latencyMs: null,
    calls: 0,
    overloads: 0,
    throttledUntil: null,
  };
}

function accountKeys(body: Body | null): readonly string[] {
  if (body === null) return [];
  if ('enrolments' in body) return Object.keys(body.enrolments);
  return 'members' in body ? body.members : [];
}
