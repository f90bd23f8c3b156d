import type {
  Body,
  MoodleAccount,
  MoodleCategory,
  MoodleCohort,
  MoodleCourse,
  MoodleRole,
} from '../policy/resource.ts';
import type { Fields, Names, ReadBack } from './seen.ts';
import { keyFor, keysFor, sameText } from './seen.ts';

/**
 * A Moodle's own words as a body. Categories come by name, people by username. No web service of 4.5
 * hides a category or tells the category of a cohort, so these two are taken as they should be.
 */
export const readBackMoodle: ReadBack = ({ kind, expected, found, names }) => {
  switch (kind) {
    case 'account':
      return readAccount({ expected: expected as MoodleAccount, found });
    case 'category':
      return {
        ...(expected as MoodleCategory),
        name: String(found['name'] ?? ''),
        parent: keyFor({
          kind: 'category',
          expected: (expected as MoodleCategory).parent,
          found: found['parent'],
          names,
        }),
      };
    case 'cohort': {
      const cohort = expected as MoodleCohort;
      const members = keysFor({
        kind: 'account',
        expected: cohort.members,
        found: found['members'],
        names,
      });
      const active = found['active'] === true;
      return { ...cohort, name: String(found['name'] ?? ''), active, members };
    }
    case 'course':
      return readCourse({ expected: expected as MoodleCourse, found, names });
    case 'group':
    case 'folder':
      return expected;
  }
};

function readAccount(p: { readonly expected: MoodleAccount; readonly found: Fields }): Body {
  const { expected, found } = p;
  return {
    ...expected,
    username: String(sameText({ expected: expected.username, found: found['username'] }) ?? ''),
    firstname: String(found['firstname'] ?? ''),
    lastname: String(found['lastname'] ?? ''),
    email: String(sameText({ expected: expected.email, found: found['email'] }) ?? ''),
    auth: String(found['auth'] ?? ''),
    active: found['active'] === true,
    ...(expected.profileFields === undefined
      ? {}
      : { profileFields: profileOf({ expected: expected.profileFields, found }) }),
  };
}

/** Only the fields that policy writes; an empty one is not told by the server. */
function profileOf(p: {
  readonly expected: Readonly<Record<string, string>>;
  readonly found: Fields;
}): Readonly<Record<string, string>> {
  const there = (p.found['profileFields'] ?? {}) as Fields;
  return Object.fromEntries(
    Object.keys(p.expected).map((name) => [name, String(there[name] ?? '')]),
  );
}

interface CourseRead {
  readonly expected: MoodleCourse;
  readonly found: Fields;
  readonly names: Names;
}

function readCourse(p: CourseRead): Body {
  const { expected, found, names } = p;
  // A date that policy leaves to Moodle is whatever Moodle made it.
  const day = (name: 'startDate' | 'endDate') =>
    expected[name] === null ? null : ((found[name] ?? null) as string | null);
  return {
    ...expected,
    fullname: String(found['fullname'] ?? ''),
    shortname: String(found['shortname'] ?? ''),
    category:
      keyFor({ kind: 'category', expected: expected.category, found: found['category'], names }) ??
      expected.category,
    startDate: day('startDate'),
    endDate: day('endDate'),
    active: found['active'] === true,
    enrolments: enrolmentsOf(p),
    ...(expected.groups === undefined ? {} : { groups: groupsOf(p) }),
  };
}

/** Groups inside the course that policy knows, with the keys of who is in them. */
function groupsOf({ expected, found, names }: CourseRead): NonNullable<MoodleCourse['groups']> {
  const there = (found['groups'] ?? {}) as Fields;
  const read: [string, readonly string[]][] = [];
  for (const [name, members] of Object.entries(expected.groups ?? {})) {
    if (there[name] === undefined && members.length > 0) continue;
    read.push([name, keysFor({ kind: 'account', expected: members, found: there[name], names })]);
  }
  return Object.fromEntries(read);
}

const roleNames: ReadonlySet<unknown> = new Set<MoodleRole>([
  'manager',
  'editingteacher',
  'teacher',
  'student',
]);

/** People without an account of ours are somebody else's doing, and so are roles that we never give. */
function enrolmentsOf({ expected, found, names }: CourseRead): MoodleCourse['enrolments'] {
  const rows = Array.isArray(found['enrolments']) ? (found['enrolments'] as Fields[]) : [];
  const wanted = Object.keys(expected.enrolments);
  const read = new Map<string, readonly MoodleRole[]>();
  for (const key of wanted) {
    if (!names.isSteady({ kind: 'account', key })) read.set(key, expected.enrolments[key] ?? []);
  }
  for (const row of rows) {
    const username = String(row['username']);
    const [key] = keysFor({ kind: 'account', expected: wanted, found: [username], names }).filter(
      (one) => names.keysOf({ kind: 'account', name: username }).includes(one),
    );
    const roles = Array.isArray(row['roles']) ? row['roles'].filter((r) => roleNames.has(r)) : [];
    if (key !== undefined && roles.length > 0) read.set(key, (roles as MoodleRole[]).sort());
  }
  return Object.fromEntries([...read].sort(([a], [b]) => (a < b ? -1 : 1)));
}
