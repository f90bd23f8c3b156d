import type {
  Body,
  MoodleAccount,
  MoodleCategory,
  MoodleCohort,
  MoodleCourse,
  ResourceKind,
} from '../../provisioning/policy/resource.ts';
import type { Connector, Observed, Outcome, Work } from '../../provisioning/target/contract.ts';
import { connectMoodle } from '../../provisioning/target/moodle/connector.ts';
import { hasten, openHastyClock } from '../support/hasty-clock.ts';
import { type MoodleProxy, startProxy } from './proxy.ts';

/** A Moodle to run against, at whatever state it is in. */
export interface RunningMoodle extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
}

/** A connector with the bit of ledger that it needs: external ids and applied bodies by key. */
export interface Bench extends AsyncDisposable {
  readonly connector: Connector;
  readonly proxy: MoodleProxy;
  /** Different in every run, so that a real server may keep what an earlier run left. */
  readonly run: string;
  /** Applies bodies (null deletes) by key, as the ledger would: what is applied is remembered. */
  apply(kind: ResourceKind, bodies: Readonly<Record<string, Body | null>>): Promise<Outcomes>;
  /** The row as the ledger would hand it out. */
  row(kind: ResourceKind, key: string, desired: Body | null): Work;
  /** Forgets what was applied, as after a lost settlement. */
  forget(kind: ResourceKind, key: string): void;
  /** The last write was the first one, and its answer was lost: what it gave is only thought to stand. */
  doubt(kind: ResourceKind, key: string): void;
  externalId(kind: ResourceKind, key: string): string;
  observed(kind: ResourceKind): Promise<ReadonlyMap<string, Observed>>;
  /** A call past the connector: somebody else's doing. */
  call(name: string, fields: Readonly<Record<string, string | number>>): Promise<unknown>;
}

export type Outcomes = Readonly<Record<string, Outcome>>;

export async function openBench(moodle: RunningMoodle): Promise<Bench> {
  const proxy = await startProxy(moodle.url);
  const { token } = moodle;
  const clock = openHastyClock();
  const connector = hasten({
    connector: connectMoodle({ name: 'moodle', url: proxy.url, token, timeoutMs: 60_000, clock }),
    clock,
  });
  const ids = new Map<string, string>();
  const bodies = new Map<string, Body>();
  const attempts = new Map<string, number>();
  const tried = new Map<string, Body>();
  const row = (kind: ResourceKind, key: string, desired: Body | null): Work => ({
    kind,
    key,
    desired,
    applied: bodies.get(`${kind}/${key}`) ?? null,
    tried: [...tried].flatMap(([name, body]) => (name === `${kind}/${key}` ? [body] : [])),
    externalId: ids.get(`${kind}/${key}`) ?? null,
    attempts: attempts.get(`${kind}/${key}`) ?? 0,
  });
  function forget(kind: ResourceKind, key: string): void {
    ids.delete(`${kind}/${key}`);
    bodies.delete(`${kind}/${key}`);
  }
  return {
    connector,
    proxy,
    row,
    run: Math.random().toString(36).slice(2, 8),
    async apply(kind, wanted) {
      const batch = Object.entries(wanted).map(([key, body]) => row(kind, key, body));
      const outcomes = await connector.apply({
        batch,
        externalIds: async (p) => {
          const known = p.keys.map((key) => [key, ids.get(`${p.kind}/${key}`)] as const);
          return new Map(known.filter((pair): pair is readonly [string, string] => !!pair[1]));
        },
      });
      const named: Record<string, Outcome> = {};
      for (const [index, work] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) throw new Error('one outcome per row');
        const name = `${kind}/${work.key}`;
        named[work.key] = outcome;
        if (outcome.state !== 'applied') {
          attempts.set(name, work.attempts + 1);
        } else if (work.desired === null) {
          ids.delete(name);
          bodies.delete(name);
        } else {
          if (outcome.externalId !== null) ids.set(name, outcome.externalId);
          bodies.set(name, work.desired);
          tried.delete(name);
        }
      }
      return named;
    },
    forget,
    doubt(kind, key) {
      const name = `${kind}/${key}`;
      const body = bodies.get(name);
      if (body !== undefined) tried.set(name, body);
      attempts.set(name, 1);
      forget(kind, key);
    },
    externalId: (kind, key) => ids.get(`${kind}/${key}`) ?? 'none',
    async observed(kind) {
      const seen = new Map<string, Observed>();
      for await (const one of connector.observe({ kind })) seen.set(one.key ?? one.externalId, one);
      return seen;
    },
    async call(name, fields) {
      const form = new URLSearchParams({
        wstoken: token,
        wsfunction: name,
        moodlewsrestformat: 'json',
      });
      for (const [field, value] of Object.entries(fields)) form.set(field, String(value));
      const url = `${moodle.url}/webservice/rest/server.php`;
      const response = await fetch(url, { method: 'POST', body: form });
      return await response.json();
    },
    async [Symbol.asyncDispose]() {
      await connector[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

export function account(username: string, changes: Partial<MoodleAccount> = {}): MoodleAccount {
  return {
    username,
    firstname: 'Åse',
    lastname: 'Ærø',
    email: `${username}@elev.example.test`,
    auth: 'oauth2',
    active: true,
    ...changes,
  };
}

export function category(name: string, changes: Partial<MoodleCategory> = {}): MoodleCategory {
  return { name, parent: null, active: true, ...changes };
}

export function cohort(
  p: Pick<MoodleCohort, 'name' | 'category' | 'members'>,
  changes: Partial<MoodleCohort> = {},
): MoodleCohort {
  return { active: true, ...p, ...changes };
}

export function course(
  p: Pick<MoodleCourse, 'shortname' | 'category' | 'enrolments'>,
  changes: Partial<MoodleCourse> = {},
): MoodleCourse {
  return {
    fullname: `Kursus ${p.shortname}`,
    startDate: '2026-08-01',
    endDate: '2027-07-31',
    active: true,
    ...p,
    ...changes,
  };
}
