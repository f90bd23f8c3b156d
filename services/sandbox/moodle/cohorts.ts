import { type Call, requireRight, webFunction } from './call.ts';
import { invalidParameter, missingRecord, writeFailure } from './failure.ts';
import * as param from './params.ts';
import { type CohortRow, compareText, fold, type State } from './state.ts';

const manage = 'Create, delete and move cohorts';
const view = 'View site-wide cohorts';

const place = param.structure({ type: param.text, value: param.raw });

const creation = {
  categorytype: place,
  name: param.raw,
  idnumber: param.raw,
  description: param.optional(param.raw),
  descriptionformat: param.optional(param.integer),
  visible: param.optional(param.flag),
  theme: param.optional(param.theme),
};

/** Text is cleaned as HTML on its way out. */
function cleanHtml(text: string): string {
  return text.replace(/&(?![a-zA-Z0-9#]{1,8};)/g, '&amp;');
}

function viewCohort(cohort: CohortRow) {
  return {
    id: cohort.id,
    name: cohort.name,
    idnumber: cohort.idnumber,
    description: cleanHtml(cohort.description),
    descriptionformat: 1,
    visible: cohort.visible,
    theme: cohort.theme,
  };
}

function viewWithFields(cohort: CohortRow) {
  return { ...viewCohort(cohort), customfields: [] };
}

/** Category id, 0 for the system. */
function resolvePlace(state: State, p: { readonly type: string; readonly value: string }): number {
  if (p.type === 'system') return 0;
  const category =
    p.type === 'id'
      ? state.categories.get(p.value)
      : p.type === 'idnumber'
        ? state.categories.find('idnumber', fold(p.value))[0]
        : undefined;
  if (category === undefined) throw invalidParameter();
  return category.id;
}

function checkWidths(cohort: CohortRow): void {
  if ([...cohort.idnumber].length > 100 || [...cohort.name].length > 254) throw writeFailure();
}

/** An idnumber is taken in any context and letter case; a name is not (recording moodle-4.5.6/15). */
const createCohorts = webFunction({
  params: param.structure({ cohorts: param.list(param.structure(creation)) }),
  run(call, { cohorts }) {
    const { state } = call;
    return state.store.transaction(() =>
      cohorts.map((given) => {
        const category = resolvePlace(state, given.categorytype);
        requireRight(call, manage);
        if (state.cohorts.find('idnumber', fold(given.idnumber)).length > 0) {
          throw invalidParameter();
        }
        const cohort: CohortRow = {
          id: state.store.nextId('cohort'),
          name: given.name,
          idnumber: given.idnumber,
          description: given.description ?? '',
          visible: given.visible ?? true,
          theme: given.theme ?? '',
          category,
        };
        checkWidths(cohort);
        state.cohorts.put(cohort);
        return viewCohort(cohort);
      }),
    );
  },
});

/** Another cohort's idnumber is accepted here (recording moodle-4.5.6/18). */
const updateCohorts = webFunction({
  params: param.structure({
    cohorts: param.list(param.structure({ ...creation, id: param.integer })),
  }),
  run(call, { cohorts }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const given of cohorts) {
        const cohort = findCohort(state, given.id);
        requireRight(call, manage);
        const next: CohortRow = {
          ...cohort,
          name: given.name,
          idnumber: given.idnumber,
          description: given.description ?? cohort.description,
          visible: given.visible ?? cohort.visible,
          theme: given.theme ?? cohort.theme,
          category: resolvePlace(state, given.categorytype),
        };
        checkWidths(next);
        state.cohorts.put(next);
      }
    });
    return null;
  },
});

export function findCohort(state: State, id: number): CohortRow {
  const cohort = state.cohorts.get(id);
  if (cohort === undefined) throw missingRecord('cohort');
  return cohort;
}

const deleteCohorts = webFunction({
  params: param.structure({ cohortids: param.list(param.integer) }),
  run(call, { cohortids }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const id of cohortids) {
        findCohort(state, id);
        requireRight(call, manage);
        for (const row of state.cohortMembers.find('of', id)) {
          state.cohortMembers.delete(`${id}:${row.user}`);
        }
        state.cohorts.delete(id);
      }
    });
    return null;
  },
});

const getCohorts = webFunction({
  params: param.structure({ cohortids: param.orElse(param.list(param.integer), []) }),
  run(call, { cohortids }) {
    const { state } = call;
    requireRight(call, view);
    const chosen = new Set(cohortids);
    const rows =
      cohortids.length === 0
        ? [...state.cohorts.all()]
        : [...chosen].map((id) => state.cohorts.get(id)).filter((row) => row !== undefined);
    return rows.sort((a, b) => a.id - b.id).map(viewWithFields);
  },
});

interface Context {
  readonly contextid?: number | undefined;
  readonly contextlevel?: string | undefined;
  readonly instanceid?: number | undefined;
}

function resolveContext(state: State, p: Context): number {
  if (p.contextid !== undefined) {
    const context = state.contexts.get(p.contextid);
    if (context?.level === 'system') return 0;
    if (context?.level === 'coursecat') return context.instance;
    throw invalidParameter();
  }
  if (p.contextlevel === 'system') return 0;
  const category = state.categories.get(p.instanceid ?? 0);
  if (p.contextlevel !== 'coursecat' || category === undefined) throw invalidParameter();
  return category.id;
}

/**
 * A substring of name, idnumber or description, sorted by name (recording moodle-4.5.6/16). What is
 * called `limitfrom` is in truth the number of a page of `limitnum`, in every version looked at.
 */
const searchCohorts = webFunction({
  params: param.structure({
    query: param.raw,
    context: param.structure({
      contextid: param.optional(param.integer),
      contextlevel: param.optional(param.alpha),
      instanceid: param.optional(param.integer),
    }),
    includes: param.orElse(param.alpha, 'parents'),
    limitfrom: param.orElse(param.integer, 0),
    limitnum: param.orElse(param.integer, 25),
  }),
  run(call, { query, context, includes, limitfrom, limitnum }) {
    const { state } = call;
    if (!['self', 'parents', 'all'].includes(includes)) throw invalidParameter();
    const category = resolveContext(state, context);
    requireRight(call, view);
    const wanted = fold(query);
    const inside =
      includes === 'all'
        ? null
        : new Set(includes === 'self' ? [category] : [category, ...parentsOf(state, category)]);
    const found: CohortRow[] = [];
    for (const cohort of state.cohorts.all()) {
      if (inside !== null && !inside.has(cohort.category)) continue;
      const texts = [cohort.name, cohort.idnumber, cohort.description];
      if (texts.some((text) => fold(text).includes(wanted))) found.push(cohort);
    }
    found.sort((a, b) => compareText(a.name, b.name) || compareText(a.idnumber, b.idnumber));
    const from = limitfrom * limitnum;
    const page = limitnum === 0 ? found : found.slice(from, from + limitnum);
    return { cohorts: page.map(viewWithFields) };
  },
});

function parentsOf(state: State, category: number): readonly number[] {
  const parents = [];
  for (let at = state.categories.get(category); at !== undefined; ) {
    parents.push(at.parent);
    at = state.categories.get(at.parent);
  }
  return parents;
}

export function requireCohortRight(call: Call): void {
  requireRight(call, 'Add and remove cohort members');
}

export const cohortFunctions = {
  core_cohort_create_cohorts: createCohorts,
  core_cohort_update_cohorts: updateCohorts,
  core_cohort_delete_cohorts: deleteCohorts,
  core_cohort_get_cohorts: getCohorts,
  core_cohort_search_cohorts: searchCohorts,
};
