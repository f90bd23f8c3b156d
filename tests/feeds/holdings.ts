/** What people have by the ledger, now and after what is scheduled, so that a loss can be seen. */
import type { Database } from '../../provisioning/store/database.ts';
import type { Earned } from './mutation.ts';

/** One thing that somebody has, or that stands. */
export interface Holding {
  readonly what: 'account' | 'place' | 'open';
  readonly target: string;
  /** UNI-ID of the person; null for things that are nobody's. */
  readonly person: string | null;
  /** Institution of the account, or of the group that the place is in. */
  readonly institution: string;
  /** Key of the group, `<institution>/<group id>`, where it is one. */
  readonly group: string | null;
}

interface Row {
  readonly target: string;
  readonly kind: string;
  readonly key: string;
  readonly institution: string | null;
  readonly body: Readonly<Record<string, unknown>> | null;
}

export async function readHoldings(p: {
  readonly database: Database;
  readonly tenant: string;
}): Promise<ReadonlyMap<string, Holding>> {
  return p.database.as(p.tenant, async (tx) => {
    const names = await tx.query<{ person: string; uniId: string }>(
      `select 'person:' || person_id as person, min(value) as "uniId" from evidence
       where system = 'uni-id' group by person_id`,
    );
    const uniIds = new Map(names.map((row) => [row.person, row.uniId]));
    const rows = await tx.query<Row & Record<string, unknown>>(
      `select target, kind, key, institution,
              case when scheduled_at is null then desired else scheduled end as body
       from resource`,
    );
    const holdings = new Map<string, Holding>();
    for (const row of rows) {
      if (row.body?.['active'] !== true) continue;
      for (const [id, holding] of holdingsOf({ row, uniIds })) holdings.set(id, holding);
    }
    return holdings;
  });
}

function* holdingsOf(p: {
  readonly row: Row;
  readonly uniIds: ReadonlyMap<string, string>;
}): Generator<readonly [string, Holding]> {
  const { target, kind, key, institution, body } = p.row;
  const person = p.uniIds.get(key) ?? null;
  const base = { target, institution: institution ?? '', group: groupOf(key) };
  const what = kind === 'account' ? 'account' : 'open';
  yield [`${target} ${kind} ${key}`, { ...base, what, person }];
  for (const group of listOf(body?.['groups'])) {
    const place = { target, person, ...placeOf(group, institution) };
    yield [`${target} ${kind} ${key} in ${group}`, { ...place, what: 'place' }];
  }
  const people = [...keysOf(body?.['enrolments']), ...listOf(body?.['members'])];
  for (const member of people) {
    const who = p.uniIds.get(member) ?? null;
    yield [`${target} ${kind} ${key} has ${member}`, { ...base, what: 'place', person: who }];
  }
  const access = Object.entries((body?.['access'] ?? {}) as Readonly<Record<string, number>>);
  for (const [group, bits] of access) {
    const id = `${target} ${kind} ${key} open to ${group} ${bits}`;
    yield [id, { ...base, what: 'open', person: null }];
  }
}

/** `group:<institution>/<id>[:part]` -> `<institution>/<id>` */
function groupOf(key: string): string | null {
  return /^group:([^:]+)/.exec(key)?.[1] ?? null;
}

function placeOf(key: string, institution: string | null) {
  const group = groupOf(key);
  const school = /^school:([^:]+)/.exec(key)?.[1] ?? null;
  return { group, institution: group?.split('/')[0] ?? school ?? institution ?? '' };
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/** Figures beyond which a loss must have been held. */
export interface Figures {
  readonly percent: number;
  readonly count: number;
}

/** Evidence is kept in small letters. */
function has(people: ReadonlySet<string>, person: string): boolean {
  return [...people].some((one) => one.toLowerCase() === person);
}

/**
 * What was lost although the feed does not say so. Where it says much, only the limits decide: of an
 * institution and a target no more accounts, and no more places, may go than they let pass.
 */
export function findUnearned(p: {
  readonly before: ReadonlyMap<string, Holding>;
  readonly after: ReadonlyMap<string, Holding>;
  readonly earned: Earned;
  readonly limits: { readonly accounts: Figures };
}): readonly string[] {
  const { before, after, earned } = p;
  const lost = [...before].filter(([id]) => !after.has(id));
  const unearned: string[] = [];
  const accounts = new Map<string, number>();
  for (const [id, holding] of lost) {
    const { institution, person, group, what } = holding;
    if (person !== null && has(earned.leavers, person)) continue;
    if (what === 'place' && person !== null && has(earned.moved, person)) continue;
    if (what !== 'account' && group !== null && earned.groups.has(group)) continue;
    if (!earned.mass.has('*') && !earned.mass.has(institution)) unearned.push(id);
    else if (what === 'account') {
      const place = `${holding.target}/${institution}`;
      accounts.set(place, (accounts.get(place) ?? 0) + 1);
    }
  }
  for (const [place, count] of accounts) {
    const of = [...before.values()].filter(
      (one) => one.what === 'account' && `${one.target}/${one.institution}` === place,
    ).length;
    const limit = p.limits.accounts;
    if (count > limit.count && count * 100 > of * limit.percent) {
      unearned.push(`${count} of ${of} accounts of ${place}`);
    }
  }
  return unearned;
}
