import type { ResourceKind } from '../../policy/resource.ts';
import type { Observed } from '../contract.ts';
import { listGroups } from './group.ts';
import {
  findUsers,
  listCategories,
  listCohorts,
  listCourses,
  listUsers,
  type MoodleEnrolled,
  readCohortMembers,
  readEnrolled,
} from './lookup.ts';
import { dayOf, keyOfMark, unescapeName } from './mark.ts';
import type { Site } from './site.ts';
import { chunk } from './write.ts';

/**
 * All that stands in the Moodle of one kind. Bodies use Moodle's own names where ours have keys:
 * - account `{username, firstname, lastname, email, auth, active, idnumber, profileFields?}`; guest
 *   and administrators are among them, with key null; profile fields that are empty do not come
 * - category `{name, idnumber, parent, active}`, parent being the parent's name or null
 * - cohort `{name, idnumber, active, members: [username]}`
 * - course `{shortname, fullname, idnumber, category, active, startDate, endDate,
 *   enrolments: [{username, roles}], groups?: {name: [username]}}`, category being its name and roles
 *   short names, all sorted; groups are ours only
 */
export function observeSite(p: {
  readonly site: Site;
  readonly kind: ResourceKind;
}): AsyncIterable<Observed> {
  switch (p.kind) {
    case 'account':
      return observeAccounts(p.site);
    case 'category':
      return observeCategories(p.site);
    case 'cohort':
      return observeCohorts(p.site);
    case 'course':
      return observeCourses(p.site);
    case 'group':
    case 'folder':
      return nothing();
  }
}

async function* nothing(): AsyncGenerator<Observed> {}

async function* observeAccounts(site: Site): AsyncGenerator<Observed> {
  for (const user of await listUsers(site.moodle)) {
    const { id, username, firstname, lastname, email, auth, suspended, idnumber, customfields } =
      user;
    const profileFields = Object.fromEntries(customfields);
    yield {
      kind: 'account',
      externalId: String(id),
      key: keyOfMark(idnumber),
      body: {
        ...{ username, firstname, lastname, email, auth, active: !suspended, idnumber },
        ...(customfields.size === 0 ? {} : { profileFields }),
      },
    };
  }
}

async function* observeCategories(site: Site): AsyncGenerator<Observed> {
  const categories = await listCategories(site.moodle);
  const names = new Map(categories.map((row) => [row.id, unescapeName(row.name)]));
  for (const { id, idnumber, parent, visible } of categories) {
    yield {
      kind: 'category',
      externalId: String(id),
      key: keyOfMark(idnumber),
      body: {
        name: names.get(id) ?? '',
        idnumber,
        parent: names.get(parent) ?? null,
        active: visible,
      },
    };
  }
}

const pageSize = 40;

async function* observeCohorts(site: Site): AsyncGenerator<Observed> {
  const { moodle } = site;
  const usernames = new Map<number, string>();
  for (const page of chunk(await listCohorts(moodle), pageSize)) {
    const members = await readCohortMembers({ moodle, ids: page.map((cohort) => cohort.id) });
    const unknown = [...members.values()].flat().filter((id) => !usernames.has(id));
    for (const user of await findUsers({ moodle, field: 'id', values: unknown })) {
      usernames.set(user.id, user.username);
    }
    for (const { id, name, idnumber, visible } of page) {
      const names = (members.get(id) ?? []).map((member) => usernames.get(member));
      yield {
        kind: 'cohort',
        externalId: String(id),
        key: keyOfMark(idnumber),
        body: {
          name,
          idnumber,
          active: visible,
          members: names.filter((username) => username !== undefined).sort(),
        },
      };
    }
  }
}

/** Our groups of a course by name; one that is empty does not show. */
async function readGroups(
  moodle: Site['moodle'],
  courseId: number,
  people: MoodleEnrolled,
): Promise<Readonly<Record<string, readonly string[]>>> {
  // Most courses have no groups, and asking each would cost as much as reading its people.
  if (people.every((user) => user.groups.length === 0)) return {};
  const all = await listGroups(moodle, courseId);
  const ours = all.filter((group) => keyOfMark(group.idnumber) !== null);
  return Object.fromEntries(
    ours.map(({ id, name }) => {
      const members = people.filter((user) => user.groups.some((group) => group.id === id));
      return [name, members.map((user) => user.username).sort()] as const;
    }),
  );
}

async function* observeCourses(site: Site): AsyncGenerator<Observed> {
  const { moodle, timeZone } = site;
  const categories = await listCategories(moodle);
  const names = new Map(categories.map((row) => [row.id, unescapeName(row.name)]));
  for (const page of chunk(await listCourses(moodle), pageSize)) {
    const people = await Promise.all(page.map(({ id }) => readEnrolled({ moodle, courseId: id })));
    const groups = await Promise.all(
      page.map(({ id }, index) => readGroups(moodle, id, people[index] ?? [])),
    );
    for (const [index, course] of page.entries()) {
      const enrolments = (people[index] ?? [])
        .map(({ username, roles }) => ({
          username,
          roles: roles.map((role) => role.shortname).sort(),
        }))
        .sort((a, b) => (a.username < b.username ? -1 : 1));
      yield {
        kind: 'course',
        externalId: String(course.id),
        key: keyOfMark(course.idnumber),
        body: {
          shortname: unescapeName(course.shortname),
          fullname: unescapeName(course.fullname),
          idnumber: course.idnumber,
          category: names.get(course.categoryid) ?? null,
          active: course.visible,
          startDate: dayOf(course.startdate, timeZone),
          endDate: dayOf(course.enddate, timeZone),
          enrolments,
          ...(Object.keys(groups[index] ?? {}).length === 0 ? {} : { groups: groups[index] }),
        },
      };
    }
  }
}
