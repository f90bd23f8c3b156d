/** What a commit would do, read without writing. */
import type { Actor } from '../plan/guard.ts';
import type { Selection } from '../plan/selection.ts';
import { approves, selectionValues, selects } from '../plan/selection.ts';
import type { Transaction } from '../store/database.ts';
import { fates, fateValues } from './fate.ts';

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

const weighed = `
  missing as materialized (
    select coalesce(jsonb_object_agg(target || '/' || kind || '/' || key, 1), '{}') as refs from fate
    where became in ('held', 'left', 'stale') and action = 'create'),
  weighed as materialized (
    select f.*, ${lasting} as lasting from fate f join change c on c.plan_id = $1 and c.seq = f.seq)`;

/** As a list of objects, the most frequent first. */
function listOf(p: { readonly columns: string; readonly where: string }): string {
  return `(select coalesce(jsonb_agg(to_jsonb(one) order by one.count desc), '[]') from (
    select ${p.columns}, count(*)::int as count from weighed where ${p.where}
    group by ${p.columns.split(', ').map((_, index) => index + 1)}) one)`;
}

export async function readWeight(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly selection: Selection;
  readonly now: Date;
}): Promise<Weight> {
  const [row] = await p.tx.query<Weight & Record<string, unknown>>(
    `with recursive ${fates}, ${weighed}
     select count(*)::int as changes,
       count(*) filter (where became = 'committed')::int as named,
       count(*) filter (where became = 'stale')::int as stale,
       count(*) filter (where became = 'left')::int as left,
       count(*) filter (where became in ('committed', 'along') and (select refs from missing)
         ?| array(select target || '/' || need from unnest(needs) need))::int as waiting,
       (select coalesce(jsonb_object_agg(action, n), '{}') from (
          select action, count(*)::int as n from weighed where became in ('committed', 'along')
          group by 1) a) as actions,
       ${listOf({ columns: 'target, kind', where: `became = 'along'` })} as along,
       ${listOf({ columns: 'held as code', where: 'meant and held is not null' })} as held,
       ${listOf({ columns: 'lasting as code', where: `became in ('committed', 'along') and lasting is not null` })}
         as lasting,
       exists (select from plan join snapshot own on own.id = plan.snapshot_id
               join snapshot s on s.read_at > own.read_at
               where plan.id = $1 and s.state = 'accepted') as "newerFeed"
     from weighed`,
    fateValues(p),
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
  const about = [p.planId, ...selectionValues(p.selection), p.actor.id];
  const chosen = `from change c where c.plan_id = $1 and c.held is null and ${selects(2)}`;
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
