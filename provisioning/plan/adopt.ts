import type { Body, ResourceKind, TargetType } from '../policy/resource.ts';
import { kindOrder } from '../policy/resource.ts';
import type { TargetTypes } from '../policy/route.ts';
import { checkRoutes } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import { readLastSnapshot } from '../roster/read.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { Match, Wish } from './adopt-match.ts';
import { matchWishes, naturalNameOf, usernameOf } from './adopt-match.ts';
import { readBacks } from './drift-compare.ts';
import type { Held } from './limits.ts';
import type { PlanSummary } from './make.ts';
import type { Reason } from './reason.ts';
import { compareFields, readTitles } from './reason.ts';
import type { Fields, Seen } from './seen.ts';
import { collectNames, nameOfSeen, seesLinks } from './seen.ts';
import { gatherWanted, gatherWish } from './wanted.ts';
import type { NewChange } from './write.ts';
import { finishPlan, insertChanges, openPlan } from './write.ts';

interface WishRow {
  readonly kind: ResourceKind;
  readonly key: string;
  readonly institution: string | null;
  readonly title: string;
  readonly person_id: string | null;
  readonly needs: readonly string[];
  readonly body: Body;
  readonly uniIds: readonly string[];
  readonly standing: readonly string[];
}

/**
 * Proposes to link what stands in a target to what policy wants there and the ledger has never seen.
 * Stores the proposal as an open plan: nothing is linked, and no username kept, before its commit.
 * What is only like it is held with the code `adoption-ambiguous`, and named in the change's reason.
 *
 * @returns null when nothing is like anything: then no plan is stored, and an open one stays open
 * @param p.seen what stands in the target, of the wished kinds and all kinds that these refer to
 */
export async function planAdoption(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly target: string;
  readonly type: TargetType;
  readonly kinds: readonly ResourceKind[];
  readonly seen: ReadonlyMap<ResourceKind, readonly Seen[]>;
  readonly now: Date;
}): Promise<PlanSummary | null> {
  checkRoutes(p);
  return p.database.as(p.tenant, async (tx) => {
    const { schoolYear } = await readLastSnapshot(tx);
    const { institutions } = await gatherWish({ ...p, tx, schoolYear });
    const first = await matchAll({ ...p, tx });
    if (await keepUsernames({ tx, matches: first })) {
      // Bodies follow from usernames: what is proposed must be what the next sync wants too.
      await tx.execute('drop table wanted');
      await gatherWanted({ ...p, tx, institutions, schoolYear });
    }
    const rows = new Map((await readWishes({ ...p, tx })).map((row) => [refOf(row), row]));
    const titles = await readTitles({ tx, alsoWanted: true });
    const changes = describeMatches({
      ...p,
      matches: first,
      rows,
      titles,
      links: await readLinks({ ...p, tx }),
    });
    if (changes.length === 0) return null;
    const planId = await openPlan({ tx, snapshotId: null });
    await insertChanges({ tx, planId, rows: changes });
    const targets: TargetTypes = new Map([[p.target, p.type]]);
    const { approval } = p.policy;
    return finishPlan({ ...p, tx, planId, held: countHeld(changes), targets, approval });
  });
}

function refOf(row: { readonly kind: string; readonly key: string }): string {
  return `${row.kind}/${row.key}`;
}

/** What is wanted open in the target and was never confirmed there, nor linked. */
async function readWishes(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly kinds: readonly ResourceKind[];
}): Promise<readonly WishRow[]> {
  return p.tx.query<WishRow & Record<string, unknown>>(
    `select w.kind, w.key, w.institution, w.title, w.person_id, w.needs,
            -- An account that stands open already is not shut because the first day lies ahead.
            case when w.opens is null then w.body else w.body || '{"active": true}' end as body,
            array(select e.value from evidence e
                  where e.person_id = w.person_id and e.system = 'uni-id') as "uniIds",
            array(select distinct coalesce(coalesce(o.applied, o.desired)->>'username',
                                           coalesce(o.applied, o.desired)->>'userId')
                  from resource o where o.person_id = w.person_id and o.kind = 'account'
                    and (o.applied is not null or o.external_id is not null)) as standing
     from wanted w
     left join resource r on r.target = w.target and r.kind = w.kind and r.key = w.key
     where w.target = $1 and w.kind = any($2) and ((w.body->>'active')::boolean or w.opens is not null)
       and (r.key is null or (r.applied is null and r.external_id is null and r.desired is not null))
     order by array_position($2, w.kind), w.institution, w.title, w.key`,
    [p.target, p.kinds],
  );
}

async function matchAll(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly type: TargetType;
  readonly kinds: readonly ResourceKind[];
  readonly seen: ReadonlyMap<ResourceKind, readonly Seen[]>;
}): Promise<readonly Match[]> {
  const { tx, target } = p;
  const rows = await readWishes(p);
  const names = await naturalNames(p);
  const linked = await tx.query<{ kind: ResourceKind; external_id: string }>(
    `select kind, external_id from resource where target = $1 and external_id is not null`,
    [target],
  );
  const holders = await readHolders(p);
  const matches: Match[] = [];
  for (const kind of p.kinds) {
    const wishes = rows
      .filter((row) => row.kind === kind)
      .map((row): Wish => ({ ...row, name: names({ kind, key: row.key, body: row.body }) }));
    const isTaken = (one: { readonly username: string; readonly wish: Wish }) => {
      const holder = holders.get(one.username);
      return holder !== undefined && `person:${holder}` !== one.wish.key;
    };
    const ids = linked.filter((row) => row.kind === kind).map((row) => row.external_id);
    matches.push(
      ...matchWishes({ wishes, seen: p.seen.get(kind) ?? [], linked: new Set(ids), isTaken }),
    );
  }
  return matches;
}

/** Who has the usernames that stand in the target, by the register. */
async function readHolders(p: {
  readonly tx: Transaction;
  readonly seen: ReadonlyMap<ResourceKind, readonly Seen[]>;
}): Promise<ReadonlyMap<string, string>> {
  const names = (p.seen.get('account') ?? []).flatMap((one) => usernameOf(one.body) ?? []);
  const rows = await p.tx.query<{ username: string; person_id: string }>(
    `select username, person_id from username where username = any($1)`,
    [names],
  );
  return new Map(rows.map((row) => [row.username, row.person_id]));
}

/** The natural name of what is wanted, in the target's own words: a path is made of the names above it. */
async function naturalNames(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly type: TargetType;
}): Promise<
  (p: { readonly kind: ResourceKind; readonly key: string; readonly body: Body }) => string | null
> {
  const above = await p.tx.query<{
    kind: string;
    key: string;
    name: string;
    parent: string | null;
  }>(
    `select kind, key, body->>'name' as name, body->>'parent' as parent from wanted
     where target = $1 and kind in ('group', 'category')`,
    [p.target],
  );
  const named = new Map(above.map((row) => [refOf(row), row]));
  function pathOf(key: string, depth = 0): string {
    const row = named.get(`group/${key}`);
    if (row === undefined || depth > 20) return '';
    return `${row.parent === null ? '' : pathOf(row.parent, depth + 1)}/${row.name}`;
  }
  return ({ kind, key, body }) => {
    const fields = body as unknown as Fields;
    if (kind === 'group' && p.type === 'keycloak') return pathOf(key);
    if (kind !== 'category') return naturalNameOf({ kind, body: fields });
    const parent = named.get(`category/${String(fields['parent'])}`)?.name ?? null;
    return naturalNameOf({ kind, body: { ...fields, parent } });
  };
}

/** Puts the usernames that stand in the target in the place of ours, for this plan. False: all are the same. */
async function keepUsernames(p: {
  readonly tx: Transaction;
  readonly matches: readonly Match[];
}): Promise<boolean> {
  const kept = p.matches.flatMap((match) => {
    if (match.state !== 'link' || match.wish.kind !== 'account') return [];
    const username = usernameOf(match.seen.body);
    const wanted = usernameOf(match.wish.body as unknown as Fields);
    const person = match.wish.key.replace(/^person:/, '');
    return username === null || username === wanted ? [] : [{ username, person }];
  });
  if (kept.length === 0) return false;
  await p.tx.execute(
    `update account_holder a set username = k.username
     from jsonb_to_recordset($1::jsonb) as k(username text, person uuid) where a.person_id = k.person`,
    [JSON.stringify(kept)],
  );
  return true;
}

/** What the ledger knows by the target's ids, so that memberships can be read. */
async function readLinks(p: {
  readonly tx: Transaction;
  readonly target: string;
}): Promise<ReadonlyMap<string, string>> {
  const rows = await p.tx.query<{ kind: string; key: string; external_id: string }>(
    `select kind, key, external_id from resource where target = $1 and external_id is not null`,
    [p.target],
  );
  return new Map(rows.map((row) => [`${row.kind}/${row.external_id}`, row.key]));
}

function describeMatches(p: {
  readonly type: TargetType;
  readonly target: string;
  readonly seen: ReadonlyMap<ResourceKind, readonly Seen[]>;
  readonly matches: readonly Match[];
  readonly rows: ReadonlyMap<string, WishRow>;
  readonly titles: ReadonlyMap<string, string>;
  readonly links: ReadonlyMap<string, string>;
}): readonly NewChange[] {
  const names = collectNames({
    linksSeen: seesLinks(p.seen.get('account') ?? []),
    unsteady: new Set(),
  });
  for (const kind of kindOrder[p.type]) {
    for (const seen of p.seen.get(kind) ?? []) {
      const key = p.links.get(`${kind}/${seen.externalId}`);
      if (key !== undefined) names.add({ key, seen });
    }
  }
  for (const match of p.matches) {
    if (match.state === 'link') names.add({ key: match.wish.key, seen: match.seen });
  }
  return p.matches.flatMap((match): readonly NewChange[] => {
    const row = p.rows.get(refOf(match.wish));
    if (row === undefined) return [];
    const { kind, key, institution, title, person_id, needs } = row;
    const base = { target: p.target, kind, key, institution, title, person_id, needs } as const;
    const common = {
      ...base,
      action: 'adopt',
      not_before: null,
      lane: 'sync',
      origin: 'adoption',
    } as const;
    if (match.state === 'doubt') {
      const reason = describeDoubt(match);
      return [{ ...common, before: null, after: row.body, reason, held: 'adoption-ambiguous' }];
    }
    const found = match.seen.body;
    const before = readBacks[p.type]({ kind, expected: row.body, found, names });
    const fields = compareFields({ before, after: row.body, titles: p.titles, target: p.target });
    const reason: Reason = {
      code: `adopt-${match.by}`,
      fields: [...fields, ...markField(match.seen)],
    };
    const external_id = match.seen.externalId;
    return [{ ...common, before, after: row.body, reason, external_id }];
  });
}

/** Moodle has no other place for our mark. What stands in it may be any number, and is not shown. */
function markField(seen: Seen): Reason['fields'] {
  const idnumber = seen.body['idnumber'];
  if (seen.key !== null || typeof idnumber !== 'string' || idnumber === '') return [];
  return [{ field: 'idnumber', from: 'another number', to: 'our mark' }];
}

/** Candidates that are named in a change; a hundred accounts with one e-mail need no list. */
const candidatesNamed = 5;

function describeDoubt(match: Match & { readonly state: 'doubt' }): Reason {
  const names = match.candidates.slice(0, candidatesNamed).map(nameOfSeen);
  return {
    code: 'adopt-unclear',
    fields: [
      { field: 'doubt', from: null, to: match.doubt },
      { field: 'candidates', added: names, removed: [] },
    ],
  };
}

function countHeld(changes: readonly NewChange[]): readonly Held[] {
  const places = new Map<string, Held>();
  for (const { institution, target, kind, held } of changes) {
    const place = { institution: institution ?? '*', target, kind };
    const at = JSON.stringify(place);
    const { count = 0, of = 0 } = places.get(at) ?? {};
    const more = held === 'adoption-ambiguous' ? 1 : 0;
    const code = 'adoption-ambiguous';
    places.set(at, { ...place, action: 'adopt', code, count: count + more, of: of + 1 });
  }
  return [...places.values()].filter((place) => place.count > 0);
}
