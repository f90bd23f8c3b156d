import { type Call, escapeName, requireRight, webFunction } from './call.ts';
import { deleteCourse, moveCourse } from './courses.ts';
import { moodleFailure } from './failure.ts';
import * as param from './params.ts';
import { type CategoryRow, fold, nowSeconds, type State } from './state.ts';

const manage = 'Manage categories';
const taken = () =>
  moodleFailure('categoryidnumbertaken', 'ID number is already used for another category');
const unknown = (id: number) =>
  moodleFailure('unknowncategory', `Unknown category with category ID number "${id}"`);

function childrenOf(state: State, parent: number): readonly CategoryRow[] {
  return [...state.categories.find('parent', parent)].sort(
    (a, b) => a.sortorder - b.sortorder || a.id - b.id,
  );
}

/** Depth first, in steps of 10,000; done when one is made or moved, not when one goes (recording 19). */
function renumber(state: State): void {
  let sortorder = 0;
  const walk = (parent: number): void => {
    for (const child of childrenOf(state, parent)) {
      sortorder += 10_000;
      if (child.sortorder !== sortorder) state.categories.put({ ...child, sortorder });
      walk(child.id);
    }
  };
  walk(0);
}

function pathOf(state: State, category: CategoryRow): readonly number[] {
  const parent = state.categories.get(category.parent);
  return parent === undefined ? [category.id] : [...pathOf(state, parent), category.id];
}

function viewCategory(state: State, category: CategoryRow) {
  const path = pathOf(state, category);
  return {
    id: category.id,
    name: escapeName(category.name),
    idnumber: category.idnumber,
    description: category.description,
    descriptionformat: 1,
    parent: category.parent,
    sortorder: category.sortorder,
    coursecount: state.courses.find('category', category.id).length,
    visible: 1,
    visibleold: 1,
    timemodified: category.timemodified,
    depth: path.length,
    path: `/${path.join('/')}`,
    theme: '',
  };
}

function checkIdnumber(state: State, idnumber: string, except: number | null): void {
  if (idnumber === '') return;
  if ([...idnumber].length > 100) {
    throw moodleFailure('idnumbertoolong', 'ID number is too long');
  }
  const holders = state.categories.find('idnumber', fold(idnumber));
  if (holders.some((holder) => holder.id !== except)) throw taken();
}

function checkName(name: string): void {
  if (name === '') throw moodleFailure('categorynamerequired', 'Category name is required');
  if ([...name].length > 255) throw moodleFailure('categorytoolong', 'Category name is too long');
}

const fields = {
  parent: param.optional(param.integer),
  idnumber: param.optional(param.raw),
  description: param.optional(param.raw),
  descriptionformat: param.optional(param.integer),
  theme: param.optional(param.theme),
};

const createCategories = webFunction({
  params: param.structure({
    categories: param.list(param.structure({ ...fields, name: param.text })),
  }),
  run(call, { categories }) {
    const { state } = call;
    return state.store.transaction(() =>
      categories.map((given) => {
        const parent = given.parent ?? 0;
        if (parent !== 0 && state.categories.get(parent) === undefined) {
          throw moodleFailure('unknowcategory', 'Category not known!');
        }
        requireRight(call, manage);
        checkName(given.name);
        checkIdnumber(state, given.idnumber ?? '', null);
        const id = state.store.nextId('category');
        state.categories.put({
          id,
          name: given.name,
          idnumber: given.idnumber === undefined || given.idnumber === '' ? null : given.idnumber,
          description: given.description ?? '',
          parent,
          sortorder: Number.MAX_SAFE_INTEGER,
          timemodified: nowSeconds(),
        });
        renumber(state);
        return { id, name: escapeName(given.name) };
      }),
    );
  },
});

/** The category that an entry names, once it is there and the token may manage it. */
function manageable(call: Call, id: number): CategoryRow {
  const category = call.state.categories.get(id);
  if (category === undefined) throw unknown(id);
  requireRight(call, manage);
  return category;
}

/** There is no way to hide a category here: the function takes no `visible` (recording moodle-4.5.6/19). */
const updateCategories = webFunction({
  params: param.structure({
    categories: param.list(
      param.structure({ ...fields, id: param.integer, name: param.optional(param.text) }),
    ),
  }),
  run(call, { categories }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const given of categories) {
        const category = manageable(call, given.id);
        if (given.name !== undefined) checkName(given.name);
        if (given.idnumber !== undefined) checkIdnumber(state, given.idnumber, category.id);
        const moved = given.parent !== undefined && given.parent !== category.parent;
        if (moved) checkMove(state, category, given.parent ?? 0);
        state.categories.put({
          ...category,
          name: given.name ?? category.name,
          idnumber: given.idnumber ?? category.idnumber,
          description: given.description ?? category.description,
          parent: given.parent ?? category.parent,
          sortorder: moved ? Number.MAX_SAFE_INTEGER : category.sortorder,
          timemodified: nowSeconds(),
        });
        if (moved) renumber(state);
      }
    });
    return null;
  },
});

function checkMove(state: State, category: CategoryRow, to: number): void {
  const target = state.categories.get(to);
  if (to === 0) return;
  if (target === undefined) throw unknown(to);
  if (pathOf(state, target).includes(category.id)) {
    throw moodleFailure('cannotmovecategory', 'Cannot move category');
  }
}

/** Cohorts of a category that goes move up into its parent's context. */
function liftCohorts(state: State, from: number, to: number): void {
  for (const cohort of state.cohorts.find('category', from)) {
    state.cohorts.put({ ...cohort, category: to });
  }
}

function deleteRecursively(state: State, category: CategoryRow): void {
  for (const child of childrenOf(state, category.id)) deleteRecursively(state, child);
  for (const course of state.courses.find('category', category.id)) deleteCourse(state, course);
  liftCohorts(state, category.id, category.parent);
  state.categories.delete(category.id);
}

function deleteAndMove(state: State, category: CategoryRow, newparent: number | undefined): void {
  const to = state.categories.get(newparent ?? category.parent);
  if (to === undefined) {
    if (newparent !== undefined && newparent !== 0) throw unknown(newparent);
    throw moodleFailure('movecatcontentstoroot', 'error/movecatcontentstoroot');
  }
  if (pathOf(state, to).includes(category.id)) {
    throw moodleFailure('youcannotdeletecategory', `You cannot delete category '${category.name}'`);
  }
  for (const child of childrenOf(state, category.id)) {
    state.categories.put({ ...child, parent: to.id });
  }
  for (const course of state.courses.find('category', category.id)) {
    moveCourse(state, course, to.id);
  }
  liftCohorts(state, category.id, to.id);
  state.categories.delete(category.id);
}

const deleteCategories = webFunction({
  params: param.structure({
    categories: param.list(
      param.structure({
        id: param.integer,
        newparent: param.optional(param.integer),
        recursive: param.orElse(param.flag, false),
      }),
    ),
  }),
  run(call, { categories }) {
    const { state } = call;
    state.store.transaction(() => {
      for (const given of categories) {
        const category = manageable(call, given.id);
        if (given.recursive) deleteRecursively(state, category);
        else deleteAndMove(state, category, given.newparent);
      }
    });
    return null;
  },
});

function criterion(key: string, value: string): (category: CategoryRow) => boolean {
  const numbers = value.split(',').map(Number);
  switch (key) {
    case 'id':
    case 'ids':
      return (category) => numbers.includes(category.id);
    case 'name':
      return (category) => fold(category.name) === fold(value);
    case 'parent':
      return (category) => category.parent === Number(value);
    case 'idnumber':
      return (category) => category.idnumber !== null && fold(category.idnumber) === fold(value);
    case 'visible':
      return () => value === '1';
    default:
      throw moodleFailure('criteriaerror', 'Missing permissions to search on a criterion.');
  }
}

/** What matches, and what lies below it, in sort order (recording moodle-4.5.6/19). */
const getCategories = webFunction({
  params: param.structure({
    criteria: param.orElse(param.list(param.structure({ key: param.text, value: param.raw })), []),
    addsubcategories: param.orElse(param.flag, true),
  }),
  run(call, { criteria, addsubcategories }) {
    const { state } = call;
    const tests = criteria.map(({ key, value }) => criterion(key, value));
    const indexed = criteria.find(({ key }) => key === 'idnumber');
    const candidates =
      indexed === undefined
        ? [...state.categories.all()]
        : state.categories.find('idnumber', fold(indexed.value));
    const found = new Map<number, CategoryRow>();
    const take = (category: CategoryRow): void => {
      found.set(category.id, category);
      if (addsubcategories) for (const child of childrenOf(state, category.id)) take(child);
    };
    for (const category of candidates) {
      if (tests.every((test) => test(category))) take(category);
    }
    return [...found.values()]
      .sort((a, b) => a.sortorder - b.sortorder)
      .map((category) => viewCategory(state, category));
  },
});

export const categoryFunctions = {
  core_course_create_categories: createCategories,
  core_course_update_categories: updateCategories,
  core_course_delete_categories: deleteCategories,
  core_course_get_categories: getCategories,
};
