import * as z from 'zod';
import type { MoodleCohort } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import { syncMembers } from './cohort-member.ts';
import type { FormValue, Moodle } from './http.ts';
import { findCohortByMark, findCohorts, type MoodleCohortRow } from './lookup.ts';
import { isOwn, ownerMark } from './mark.ts';
import { numberOf } from './site.ts';
import {
  type ApplyOrder,
  applied,
  asLookFirst,
  batchSize,
  eachRow,
  findRemovals,
  isFresh,
  keepPlaced,
  noteMade,
  outcomeOf,
  rejected,
  sendBatches,
  sendWhole,
} from './write.ts';

interface Row {
  readonly work: Work;
  readonly mark: string;
  readonly body: MoodleCohort | null;
  /** The number of the desired category, null while it does not exist. */
  readonly category: number | null;
}

type Outcomes = Map<Work, Outcome>;

/**
 * Creates, renames, hides and deletes cohorts and keeps their members. There is no unique index on
 * a cohort's idnumber and six creates at once made three cohorts (reference), so each is looked up
 * first and the connector applies one batch of a kind at a time.
 */
export async function applyCohorts(p: ApplyOrder): Promise<Outcomes> {
  const { moodle } = p.site;
  const outcomes: Outcomes = new Map();
  const rows = await readRows(p);
  const fresh = p.careful ? new Set<Row>() : await findFresh(moodle, rows);
  const current = await findCurrent({
    moodle,
    rows: rows.filter((row) => !fresh.has(row)),
    outcomes,
  });
  const open = rows.filter((row) => !outcomes.has(row.work));
  await deleteCohorts({ moodle, rows: open.filter((row) => row.body === null), current, outcomes });
  const wanted = keepPlaced({ rows: open, outcomes });
  const ids = await createCohorts({
    moodle,
    rows: wanted.filter((row) => !current.has(row)),
    fresh,
    outcomes,
  });
  for (const [row, cohort] of current) ids.set(row, cohort.id);
  await updateCohorts({ moodle, rows: wanted, current, outcomes });
  const standing = wanted.filter((row) => !outcomes.has(row.work) && ids.has(row));
  const settled = await syncMembers({
    moodle,
    externalIds: p.externalIds,
    rows: standing.map((row) => ({
      work: row.work,
      cohortId: ids.get(row) ?? 0,
      fresh: !current.has(row),
    })),
  });
  for (const [work, outcome] of settled) outcomes.set(work, outcome);
  return outcomes;
}

async function readRows(p: {
  readonly batch: readonly Work[];
  readonly externalIds: ExternalIdLookup;
}): Promise<readonly Row[]> {
  const keys = p.batch.map((work) => (work.desired as MoodleCohort | null)?.category ?? null);
  const wanted = [...new Set(keys.filter((key) => key !== null))];
  const categories = await p.externalIds({ kind: 'category', keys: wanted });
  return p.batch.map((work, index) => ({
    work,
    mark: ownerMark({ kind: 'cohort', key: work.key }),
    body: work.desired as MoodleCohort | null,
    category: numberOf(categories.get(keys[index] ?? '')),
  }));
}

/**
 * Rows that were never sent are not looked for one by one (200 cohorts took 4 s): while batches do not
 * race, Moodle refuses an idnumber that is taken, and then all are looked for. The first of them is,
 * because a ledger that was lost makes every row look new.
 */
async function findFresh(moodle: Moodle, rows: readonly Row[]): Promise<ReadonlySet<Row>> {
  const fresh = rows.filter((row) => isFresh(row.work));
  const [first] = fresh;
  if (first === undefined) return new Set();
  const found = await findCohortByMark({ moodle, mark: first.mark, category: null });
  return new Set(found === null ? fresh : []);
}

async function findCurrent(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly outcomes: Outcomes;
}): Promise<Map<Row, MoodleCohortRow>> {
  const current = new Map<Row, MoodleCohortRow>();
  const ids = p.rows.map((row) => numberOf(row.work.externalId)).filter((id) => id !== null);
  const found = await findCohorts({ moodle: p.moodle, ids });
  const byId = new Map(found.map((cohort) => [cohort.id, cohort]));
  await eachRow({
    rows: p.rows,
    outcomes: p.outcomes,
    async look(row) {
      const known = byId.get(numberOf(row.work.externalId) ?? 0);
      if (known !== undefined && !isOwn({ ...row, idnumber: known.idnumber })) {
        const detail = 'the cohort no longer carries our mark';
        p.outcomes.set(row.work, rejected('not-ours', detail));
        return;
      }
      const own =
        known ?? (await findCohortByMark({ moodle: p.moodle, mark: row.mark, category: null }));
      if (own !== null) current.set(row, own);
    },
  });
  return current;
}

function fieldsOf(row: Row): Record<string, FormValue> {
  return {
    categorytype: { type: 'id', value: row.category ?? 0 },
    name: row.body?.name ?? '',
    idnumber: row.mark,
    visible: row.body?.active === true ? 1 : 0,
  };
}

async function createCohorts(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly fresh: ReadonlySet<Row>;
  readonly outcomes: Outcomes;
}): Promise<Map<Row, number>> {
  const ids = new Map<Row, number>();
  const sent = await sendBatches<Row, number | null>({
    items: p.rows,
    size: batchSize,
    async send(batch) {
      const call = {
        function: 'core_cohort_create_cohorts',
        params: { cohorts: batch.map((row) => fieldsOf(row)) },
        answer: z.array(z.object({ id: z.number(), idnumber: z.string() })),
      } as const;
      try {
        const made = new Map((await p.moodle.write(call)).map((row) => [row.idnumber, row.id]));
        return batch.map((row) => ({ ok: true, value: made.get(row.mark) ?? null }));
      } catch (error) {
        throw batch.some((row) => p.fresh.has(row)) ? asLookFirst(error) : error;
      }
    },
  });
  noteMade({ sent, ids, outcomes: p.outcomes, what: 'cohort' });
  return ids;
}

/**
 * A cohort's category cannot be read, only searched in: where the applied state does not tell it, a
 * search in the desired category does.
 */
async function isInPlace(moodle: Moodle, row: Row): Promise<boolean> {
  const before = row.work.applied as MoodleCohort | null;
  if (before !== null) return before.category === row.body?.category;
  const there = await findCohortByMark({ moodle, mark: row.mark, category: row.category });
  return there !== null;
}

async function updateCohorts(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleCohortRow>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const differing: { readonly row: Row; readonly id: number }[] = [];
  await eachRow({
    rows: p.rows,
    outcomes: p.outcomes,
    async look(row) {
      const cohort = p.current.get(row);
      if (cohort === undefined || row.body === null) return;
      const same = cohort.name === row.body.name && cohort.visible === row.body.active;
      if (!same || !(await isInPlace(p.moodle, row))) differing.push({ row, id: cohort.id });
    },
  });
  const sent = await sendWhole({
    moodle: p.moodle,
    function: 'core_cohort_update_cohorts',
    items: differing,
    size: batchSize,
    params: (batch) => ({ cohorts: batch.map(({ row, id }) => ({ id, ...fieldsOf(row) })) }),
  });
  for (const [{ row }, result] of sent) {
    if (!result.ok) p.outcomes.set(row.work, outcomeOf(result.error));
  }
}

async function deleteCohorts(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleCohortRow>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const sent = await sendWhole({
    moodle: p.moodle,
    function: 'core_cohort_delete_cohorts',
    items: findRemovals(p),
    size: batchSize,
    params: (batch) => ({ cohortids: batch.map(({ id }) => id) }),
  });
  for (const [{ row, id }, result] of sent) {
    // `invalidrecord` for one id alone proves that the cohort is gone (recording moodle-4.5.6/18).
    const gone = result.ok || result.error.reason === 'invalidrecord';
    p.outcomes.set(row.work, gone ? applied(String(id)) : outcomeOf(result.error));
  }
}
