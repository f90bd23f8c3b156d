import type { Selection } from '../plan/selection.ts';
import { isWhole, selectionValues, selects } from '../plan/selection.ts';
import { dayOf, isKept } from '../store/keep-alive.ts';
import { adoptionOutcome } from './adopt.ts';
import { driftOutcome } from './observed.ts';

/**
 * SQL: what a commit makes of every change of a plan, in the table expression `fate` (`became`). One rule for
 * the commit and for weighing it beforehand. What is approved is of no use without the groups,
 * categories and accounts that it stands on: those come `along` where the plan would create them.
 * Takes the values of `fateValues` as $1 to $6, after `with recursive`.
 */
export const fates = `
  chosen as materialized (select c.*, ${selects(2)} as meant from change c where c.plan_id = $1),
  decided as materialized (
    select c.seq, c.target, c.kind, c.key, c.action, c.origin, c.needs, c.held, c.meant,
      case
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
        else 'committed' end as fate
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
  fate as materialized (
    select d.*, case when a.seq is null then d.fate else 'along' end as became
    from decided d left join along a using (seq))`;

export function fateValues(p: {
  readonly planId: string;
  readonly selection: Selection;
  readonly now: Date;
}): readonly unknown[] {
  const { selection } = p;
  const takesAlong = !isWhole(selection) && selection.except !== true;
  return [p.planId, ...selectionValues(selection), takesAlong, dayOf(p.now)];
}
