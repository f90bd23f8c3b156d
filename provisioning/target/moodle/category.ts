import * as z from 'zod';
import type { MoodleCategory } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import { syncCategoryRoles } from './category-role.ts';
import type { FormValue, Moodle } from './http.ts';
import {
  findCategories,
  findCoursesBy,
  listCategories,
  type MoodleCategoryRow,
  readCategories,
} from './lookup.ts';
import { isOwn, keyOfMark, ownerMark, unescapeName } from './mark.ts';
import { numberOf, type Site } from './site.ts';
import {
  applied,
  batchSize,
  eachRow,
  outcomeOf,
  rejected,
  retry,
  sendBatches,
  sendWhole,
} from './write.ts';

interface Row {
  readonly work: Work;
  readonly mark: string;
  readonly body: MoodleCategory | null;
}

type Outcomes = Map<Work, Outcome>;

/**
 * Creates, renames, moves and deletes course categories. Moodle 4.5 has no web service that hides
 * one (recording moodle-4.5.6/19), so a category that is not active stays as it is: what is in it is
 * hidden by its courses.
 */
export async function applyCategories(p: {
  readonly site: Site;
  readonly batch: readonly Work[];
  readonly externalIds: ExternalIdLookup;
}): Promise<Outcomes> {
  const { moodle } = p.site;
  const outcomes: Outcomes = new Map();
  const rows = p.batch.map((work) => ({
    work,
    mark: ownerMark({ kind: 'category', key: work.key }),
    body: work.desired as MoodleCategory | null,
  }));
  const current = await findCurrent({ moodle, rows, outcomes });
  const open = rows.filter((row) => !outcomes.has(row.work));
  for (const row of open) {
    if (row.body === null) outcomes.set(row.work, await remove({ moodle, row, current }));
  }
  const parents = open.map((row) => row.body?.parent ?? null).filter((key) => key !== null);
  const ids = new Map<string, number>();
  for (const [key, id] of await p.externalIds({ kind: 'category', keys: [...new Set(parents)] })) {
    const number = numberOf(id);
    if (number !== null) ids.set(key, number);
  }
  for (const [row, category] of current) ids.set(row.work.key, category.id);
  await writeInOrder({ moodle, rows: open, current, ids, outcomes });
  await syncCategoryRoles({ site: p.site, externalIds: p.externalIds, outcomes });
  return outcomes;
}

async function findCurrent(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly outcomes: Outcomes;
}): Promise<Map<Row, MoodleCategoryRow>> {
  const current = new Map<Row, MoodleCategoryRow>();
  const ids = p.rows.map((row) => numberOf(row.work.externalId)).filter((id) => id !== null);
  const found = await findCategories({ moodle: p.moodle, ids });
  const byId = new Map(found.map((category) => [category.id, category]));
  await eachRow({
    rows: p.rows,
    outcomes: p.outcomes,
    async look(row) {
      const known = byId.get(numberOf(row.work.externalId) ?? 0);
      if (known !== undefined && !isOwn({ ...row, idnumber: known.idnumber })) {
        const detail = 'the category no longer carries our mark';
        p.outcomes.set(row.work, rejected('not-ours', detail));
        return;
      }
      const answer =
        known === undefined
          ? await readCategories({ moodle: p.moodle, key: 'idnumber', value: row.mark })
          : [known];
      const own = known ?? answer.find((category) => category.idnumber === row.mark);
      if (own !== undefined) current.set(row, own);
    },
  });
  return current;
}

/** Parents first: rows whose parent is made in the same batch wait for it. */
async function writeInOrder(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleCategoryRow>;
  readonly ids: Map<string, number>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  let waiting = p.rows.filter((row) => row.body !== null);
  for (;;) {
    const ready = waiting.filter(({ body }) => body?.parent == null || p.ids.has(body.parent));
    if (ready.length === 0) break;
    waiting = waiting.filter((row) => !ready.includes(row));
    await createCategories({ ...p, rows: ready.filter((row) => !p.current.has(row)) });
    await updateCategories({ ...p, rows: ready.filter((row) => p.current.has(row)) });
  }
  for (const row of waiting) {
    p.outcomes.set(row.work, retry('parent-missing', 'the category above it does not exist yet'));
  }
}

const createdList = z.array(z.object({ id: z.number() }));

async function createCategories(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly ids: Map<string, number>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const sent = await sendBatches<Row, number | null>({
    items: p.rows,
    size: batchSize,
    async send(batch) {
      const categories = batch.map(({ body, mark }) => ({
        name: body?.name ?? '',
        parent: parentOf(body, p.ids),
        idnumber: mark,
      }));
      const call = {
        function: 'core_course_create_categories',
        params: { categories },
        answer: createdList,
      } as const;
      const made = await p.moodle.write(call);
      return batch.map((_, index) => ({ ok: true, value: made[index]?.id ?? null }));
    },
  });
  for (const [row, result] of sent) {
    if (!result.ok) {
      p.outcomes.set(row.work, outcomeOf(result.error));
    } else if (result.value === null) {
      p.outcomes.set(row.work, retry('answer-lost', 'Moodle did not name the category it made'));
    } else {
      p.ids.set(row.work.key, result.value);
      p.outcomes.set(row.work, applied(String(result.value)));
    }
  }
}

function parentOf(body: MoodleCategory | null, ids: ReadonlyMap<string, number>): number {
  return body?.parent == null ? 0 : (ids.get(body.parent) ?? 0);
}

async function updateCategories(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly current: ReadonlyMap<Row, MoodleCategoryRow>;
  readonly ids: ReadonlyMap<string, number>;
  readonly outcomes: Outcomes;
}): Promise<void> {
  const changes: { readonly row: Row; readonly id: number; readonly fields: FormValue }[] = [];
  for (const row of p.rows) {
    const category = p.current.get(row);
    if (category === undefined || row.body === null) continue;
    const fields: Record<string, FormValue> = { id: category.id };
    if (unescapeName(category.name) !== row.body.name) fields['name'] = row.body.name;
    const parent = parentOf(row.body, p.ids);
    if (category.parent !== parent) fields['parent'] = parent;
    if (category.idnumber !== row.mark) fields['idnumber'] = row.mark;
    if (Object.keys(fields).length > 1) changes.push({ row, id: category.id, fields });
    else p.outcomes.set(row.work, applied(String(category.id)));
  }
  const sent = await sendWhole({
    moodle: p.moodle,
    function: 'core_course_update_categories',
    items: changes,
    size: batchSize,
    params: (batch) => ({ categories: batch.map(({ fields }) => fields) }),
  });
  for (const [{ row, id }, result] of sent) {
    p.outcomes.set(row.work, result.ok ? applied(String(id)) : outcomeOf(result.error));
  }
}

/**
 * Deletes an empty category, and never with `recursive`: should somebody put something into it
 * between our look and our call, it moves up instead of being deleted.
 */
async function remove(p: {
  readonly moodle: Moodle;
  readonly row: Row;
  readonly current: ReadonlyMap<Row, MoodleCategoryRow>;
}): Promise<Outcome> {
  const { moodle, row } = p;
  const category = p.current.get(row);
  const id = category?.id ?? numberOf(row.work.externalId);
  if (id === null) return applied(null);
  if (category !== undefined) {
    const [children, courses] = await Promise.all([
      readCategories({ moodle, key: 'parent', value: String(id) }),
      findCoursesBy({ moodle, field: 'category', value: String(id) }),
    ]);
    const inside = [...children, ...courses];
    if (inside.some((one) => keyOfMark(one.idnumber) === null)) {
      return rejected('category-not-empty', 'it holds courses or categories that are not ours');
    }
    if (inside.length > 0) return retry('category-not-empty', 'what is in it must go first');
  }
  const newparent = await heirOf({ moodle, id, parent: category?.parent ?? 0 });
  if (newparent === null) {
    return rejected('last-category', 'Moodle keeps its last category, and this is it');
  }
  const sent = await sendWhole({
    moodle,
    function: 'core_course_delete_categories',
    items: [row],
    size: 1,
    params: () => ({ categories: [{ id, newparent, recursive: 0 }] }),
  });
  const result = sent.get(row);
  if (result === undefined || result.ok || result.error.reason === 'unknowncategory') {
    return applied(String(id));
  }
  return outcomeOf(result.error);
}

/** Where what may be left goes: the parent, or another category at the top. */
async function heirOf(p: {
  readonly moodle: Moodle;
  readonly id: number;
  readonly parent: number;
}): Promise<number | null> {
  if (p.parent !== 0) return p.parent;
  const all = await listCategories(p.moodle);
  return all.find((category) => category.parent === 0 && category.id !== p.id)?.id ?? null;
}
