/** The SQL behind `weigh.ts`: what a commit would do, read without writing. */
import { adoptionOutcome } from '../../provisioning/ledger/adopt.ts';
import { driftOutcome } from '../../provisioning/ledger/observed.ts';
import type { Actor } from '../../provisioning/plan/guard.ts';
import type { Selection } from '../../provisioning/plan/selection.ts';
import { approves, isWhole } from '../../provisioning/plan/selection.ts';
import type { Transaction } from '../../provisioning/store/database.ts';
import { dayOf, isKept } from '../../provisioning/store/keep-alive.ts';

export interface Weight {
  readonly changes: number;
  readonly named: number;
  readonly actions: Readonly<Record<string, number>>;
  readonly along: readonly {
    readonly target: string;
    readonly kind: string;
    readonly count: number;
  }[];
  readonly held: readonly { readonly code: string; readonly count: number }[];
  readonly stale: number;
  readonly left: number;
  readonly waiting: number;
  readonly lasting: readonly { readonly code: string; readonly count: number }[];
  readonly newerFeed: boolean;
}

/**
 * SQL: whether the selection means the change `c`. Single changes are looked up apart from its lists: with
 * 1,500 of them among 100,000 changes the list in `$2` took 13 s, the array in `$3` 1.1 s.
 */
const meant = `((${approves('$2::jsonb')} and ($3::int[] is null or c.seq = any($3::int[]))) <> $4::boolean)`;

function meantBy(selection: Selection): readonly unknown[] {
  const { seqs, except = false, ...lists } = selection;
  return [JSON.stringify(lists), seqs ?? null, except];
}

/** SQL: what the commit makes of change `c`, before what is needed comes along. Held against `commit.ts` by a test. */
const outcome = `(case
  when c.held is not null then 'held'
  when not c.meant then 'left'
  when c.origin = 'adoption' then ${adoptionOutcome}
  when c.before is distinct from (select r.desired from resource r
       where r.target = c.target and r.kind = c.kind and r.key = c.key) then 'stale'
  when c.person_id is not null and (
       (c.action in ('deactivate', 'delete')
        and ${isKept({ person: 'c.person_id', today: '$6', kinds: ['keep'] })})
       or (c.action = 'delete'
        and ${isKept({ person: 'c.person_id', today: '$6', kinds: ['legal-hold'] })})) then 'stale'
  when c.origin = 'drift' then ${driftOutcome}
  else 'committed' end)`;

/** SQL: why change `c` could not be turned back once it is committed; null: it could. As in `undo-change.ts`. */
const lasting = `(case
  when c.origin = 'adoption' then 'linked'
  when c.origin = 'drift' then 'mended'
  when c.action = 'delete' or c.after is null then 'deleted'
  when c.before is not null and c.person_id in (
       select g.person_id from recognition g join record p on p.source = g.source
         and p.entity = 'person' and p.key = g.record_key
       where (p.body->>'protected')::boolean)
    and c.before - '{active,groups}'::text[] is distinct from c.after - '{active,groups}'::text[]
    then 'protected' end)`;

const fates = `
  chosen as materialized (select c.*, ${meant} as meant from change c where c.plan_id = $1),
  decided as materialized (
    select c.seq, c.target, c.kind, c.key, c.action, c.origin, c.needs, c.held, c.meant,
           ${lasting} as lasting, ${outcome} as fate
    from chosen c),
  needed as (
    select d.target, u.need from decided d, unnest(d.needs) u(need) where d.fate = 'committed' and $5
    union
    select d.target, u.need from needed n
    join decided d on d.target = n.target and d.kind || '/' || d.key = n.need, unnest(d.needs) u(need)),
  along as (
    select d.seq from decided d join needed n on d.target = n.target and d.kind || '/' || d.key = n.need
    where d.fate = 'left' and d.action = 'create' and d.origin = 'policy'
      and not exists (select from resource r where r.target = d.target and r.kind = d.kind
                        and r.key = d.key and r.desired is not null)),
  final as materialized (
    select d.*, case when a.seq is null then d.fate else 'along' end as became
    from decided d left join along a using (seq)),
  missing as materialized (
    select coalesce(jsonb_object_agg(target || '/' || kind || '/' || key, 1), '{}') as refs from final
    where became in ('held', 'left', 'stale') and action = 'create')`;

/** As a list of objects, the most frequent first. */
function listOf(p: { readonly columns: string; readonly where: string }): string {
  return `(select coalesce(jsonb_agg(to_jsonb(one) order by one.count desc), '[]') from (
    select ${p.columns}, count(*)::int as count from final where ${p.where}
    group by ${p.columns.split(', ').map((_, index) => index + 1)}) one)`;
}

export async function readWeight(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly selection: Selection;
  readonly now: Date;
}): Promise<Weight> {
  const { selection } = p;
  const takesAlong = !isWhole(selection) && selection.except !== true;
  const [row] = await p.tx.query<Weight & Record<string, unknown>>(
    `with recursive ${fates}
     select count(*)::int as changes,
       count(*) filter (where became = 'committed')::int as named,
       count(*) filter (where became = 'stale')::int as stale,
       count(*) filter (where became = 'left')::int as left,
       count(*) filter (where became in ('committed', 'along') and (select refs from missing)
         ?| array(select target || '/' || need from unnest(needs) need))::int as waiting,
       (select coalesce(jsonb_object_agg(action, n), '{}') from (
          select action, count(*)::int as n from final where became in ('committed', 'along')
          group by 1) a) as actions,
       ${listOf({ columns: 'target, kind', where: `became = 'along'` })} as along,
       ${listOf({ columns: 'held as code', where: 'meant and held is not null' })} as held,
       ${listOf({ columns: 'lasting as code', where: `became in ('committed', 'along') and lasting is not null` })}
         as lasting,
       exists (select from plan join snapshot own on own.id = plan.snapshot_id
               join snapshot s on s.read_at > own.read_at
               where plan.id = $1 and s.state = 'accepted') as "newerFeed"
     from final`,
    [p.planId, ...meantBy(selection), takesAlong, dayOf(p.now)],
  );
  if (row === undefined) throw new Error(`Plan ${p.planId} could not be weighed.`);
  return row;
}

export interface Backing {
  readonly name: string;
  readonly at: Date;
  /** Whether it is the caller's. */
  readonly mine: boolean;
  /** Changes of the selection that it covers. */
  readonly count: number;
}

/** Who has approved what of a selection, and how much of it nobody but the caller has. */
export async function readBacking(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly selection: Selection;
  readonly actor: Actor;
}): Promise<{ readonly approvals: readonly Backing[]; readonly unapproved: number }> {
  const about = [p.planId, ...meantBy(p.selection), p.actor.id];
  const chosen = `from change c where c.plan_id = $1 and c.held is null and ${meant}`;
  const approvals = await p.tx.query<Backing & Record<string, unknown>>(
    `select a.name, a.at, a.who = $5 as mine,
            (select count(*)::int ${chosen} and ${approves('a.selection')}) as count
     from plan_approval a where a.plan_id = $1 order by a.at`,
    about,
  );
  const [row] = await p.tx.query<{ n: number }>(
    `select count(*)::int as n ${chosen}
       and not exists (select from plan_approval a
                       where a.plan_id = $1 and a.who <> $5 and ${approves('a.selection')})`,
    about,
  );
  return { approvals, unapproved: row?.n ?? 0 };
}
