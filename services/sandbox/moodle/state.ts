import type { Documents } from '../documents.ts';
import type { Installed } from './params.ts';
import { openStore, type Store, type Table } from './store.ts';

export interface UserRow {
  readonly id: number;
  readonly username: string;
  readonly firstname: string;
  readonly lastname: string;
  readonly email: string;
  readonly idnumber: string;
  readonly auth: string;
  readonly suspended: boolean;
  readonly deleted: boolean;
  readonly lang: string;
  readonly theme: string;
  /** Texts that only show when they are not empty: city, institution, description ... */
  readonly texts: Readonly<Record<string, string>>;
  /** Profile field shortname -> value. */
  readonly custom: Readonly<Record<string, string>>;
}

export interface CategoryRow {
  readonly id: number;
  readonly name: string;
  readonly idnumber: string | null;
  readonly description: string;
  readonly parent: number;
  readonly sortorder: number;
  readonly timemodified: number;
}

export interface CourseRow {
  readonly id: number;
  readonly fullname: string;
  readonly shortname: string;
  readonly category: number;
  readonly idnumber: string;
  readonly summary: string;
  readonly format: string;
  readonly visible: boolean;
  /** What `visible` was before the course was moved out of sight with its category. */
  readonly visibleOld: boolean;
  readonly startdate: number;
  readonly enddate: number;
  readonly timecreated: number;
  readonly timemodified: number;
  /** The newest in a category stands first; null until Moodle sorts the next time (a fresh copy). */
  readonly rank: number | null;
  /** The sort order a course keeps when it was moved to a category that does not exist. */
  readonly stranded: number | null;
}

export interface SectionRow {
  readonly id: number;
  readonly course: number;
  readonly section: number;
}

export interface ModuleRow {
  readonly id: number;
  readonly course: number;
  readonly section: number;
  readonly modname: 'forum' | 'page';
  readonly instance: number;
  readonly name: string;
  readonly timemodified: number;
}

export interface CohortRow {
  readonly id: number;
  readonly name: string;
  readonly idnumber: string;
  readonly description: string;
  readonly visible: boolean;
  readonly theme: string;
  /** Category id; 0 is the system. */
  readonly category: number;
}

export interface MemberRow {
  /** Cohort or group. */
  readonly of: number;
  readonly user: number;
}

export interface EnrolmentRow {
  readonly course: number;
  readonly user: number;
  readonly timestart: number;
  readonly timeend: number;
  readonly suspended: boolean;
}

export interface RoleRow {
  readonly level: ContextLevel;
  readonly instance: number;
  readonly user: number;
  readonly role: number;
}

export type ContextLevel = 'system' | 'user' | 'coursecat' | 'course' | 'module';

export interface ContextRow {
  readonly id: number;
  readonly level: ContextLevel;
  readonly instance: number;
}

export interface GroupRow {
  readonly id: number;
  readonly course: number;
  readonly name: string;
  readonly idnumber: string;
  readonly description: string;
  readonly enrolmentkey: string;
  readonly visibility: number;
  readonly participation: boolean;
}

export interface GroupingRow {
  readonly id: number;
  readonly course: number;
  readonly name: string;
  readonly idnumber: string;
  readonly description: string;
}

export interface GroupingMemberRow {
  readonly grouping: number;
  readonly group: number;
}

export interface ProfileFieldRow {
  readonly shortname: string;
  readonly name: string;
}

/** What an administrator switches outside the web services. */
export interface Settings {
  readonly webServices: boolean;
  readonly restProtocol: boolean;
  /** Everything answers 503. */
  readonly cliMaintenance: boolean;
  /** Only those who are not administrators are stopped. */
  readonly webMaintenance: boolean;
  /** Mail goes nowhere: the welcome to a course cannot be sent. */
  readonly mailBroken: boolean;
  /** Sign-in plugins installed beside those of the core. */
  readonly extraAuths: readonly string[];
}

export interface State {
  readonly store: Store;
  readonly users: Table<UserRow>;
  readonly categories: Table<CategoryRow>;
  readonly courses: Table<CourseRow>;
  readonly sections: Table<SectionRow>;
  readonly modules: Table<ModuleRow>;
  readonly cohorts: Table<CohortRow>;
  readonly cohortMembers: Table<MemberRow>;
  readonly enrolments: Table<EnrolmentRow>;
  readonly roles: Table<RoleRow>;
  readonly contexts: Table<ContextRow>;
  readonly groups: Table<GroupRow>;
  readonly groupMembers: Table<MemberRow>;
  readonly groupings: Table<GroupingRow>;
  readonly groupingMembers: Table<GroupingMemberRow>;
  readonly profileFields: Table<ProfileFieldRow>;
  settings(): Settings;
  setSettings(settings: Settings): void;
  installed(): Installed;
}

const coreAuths = [
  'cas',
  'db',
  'email',
  'ldap',
  'lti',
  'manual',
  'mnet',
  'nologin',
  'none',
  'oauth2',
  'shibboleth',
  'webservice',
];

const ordinary: Settings = {
  webServices: true,
  restProtocol: true,
  cliMaintenance: false,
  webMaintenance: false,
  mailBroken: false,
  extraAuths: [],
};

/**
 * MariaDB's collation there compares without regard to letter case (reference: idnumber, shortname
 * and e-mail; it also ignores most accents, which is not imitated).
 */
export function fold(text: string): string {
  return text.toLowerCase();
}

export function openState(documents: Documents): State {
  const store = openStore(documents);
  const settings = documents.collection<Settings>('settings');
  const state: State = {
    store,
    ...openTables(store),
    settings: () => settings.get('site') ?? ordinary,
    setSettings: (next) => settings.set('site', next),
    installed: () => ({
      auths: new Set([...coreAuths, ...(settings.get('site') ?? ordinary).extraAuths]),
      languages: new Set(['', 'en']),
      themes: new Set(['boost', 'classic']),
    }),
  };
  if (state.users.size === 0) store.transaction(() => layBaseline(state));
  return state;
}

function openTables(store: Store) {
  return {
    users: store.table<UserRow>({
      name: 'user',
      id: (row) => row.id,
      indexes: {
        username: (row) => row.username,
        email: (row) => fold(row.email),
        idnumber: (row) => fold(row.idnumber),
      },
    }),
    categories: store.table<CategoryRow>({
      name: 'category',
      id: (row) => row.id,
      indexes: {
        idnumber: (row) => (row.idnumber === null ? null : fold(row.idnumber)),
        parent: (row) => row.parent,
      },
    }),
    courses: store.table<CourseRow>({
      name: 'course',
      id: (row) => row.id,
      indexes: {
        shortname: (row) => fold(row.shortname),
        idnumber: (row) => (row.idnumber === '' ? null : fold(row.idnumber)),
        category: (row) => row.category,
        unranked: (row) => (row.rank === null ? 'yes' : null),
      },
    }),
    sections: store.table<SectionRow>({
      name: 'section',
      id: (row) => row.id,
      indexes: { course: (row) => row.course },
    }),
    modules: store.table<ModuleRow>({
      name: 'module',
      id: (row) => row.id,
      indexes: { course: (row) => row.course },
    }),
    cohorts: store.table<CohortRow>({
      name: 'cohort',
      id: (row) => row.id,
      indexes: { idnumber: (row) => fold(row.idnumber), category: (row) => row.category },
    }),
    cohortMembers: openMembers(store, 'cohort member'),
    groupMembers: openMembers(store, 'group member'),
    enrolments: store.table<EnrolmentRow>({
      name: 'enrolment',
      id: (row) => `${row.course}:${row.user}`,
      indexes: { course: (row) => row.course, user: (row) => row.user },
    }),
    roles: store.table<RoleRow>({
      name: 'role',
      id: (row) => `${row.level}:${row.instance}:${row.user}:${row.role}`,
      indexes: {
        context: (row) => `${row.level}:${row.instance}`,
        place: (row) => `${row.level}:${row.instance}:${row.user}`,
        user: (row) => row.user,
      },
    }),
    contexts: store.table<ContextRow>({
      name: 'context',
      id: (row) => row.id,
      indexes: { place: (row) => `${row.level}:${row.instance}` },
    }),
    ...openGroupTables(store),
    profileFields: store.table<ProfileFieldRow>({
      name: 'profile field',
      id: (row) => row.shortname,
      indexes: {},
    }),
  };
}

function openGroupTables(store: Store) {
  return {
    groups: store.table<GroupRow>({
      name: 'group',
      id: (row) => row.id,
      indexes: { course: (row) => row.course },
    }),
    groupings: store.table<GroupingRow>({
      name: 'grouping',
      id: (row) => row.id,
      indexes: { course: (row) => row.course },
    }),
    groupingMembers: store.table<GroupingMemberRow>({
      name: 'grouping member',
      id: (row) => `${row.grouping}:${row.group}`,
      indexes: { group: (row) => row.group },
    }),
  };
}

function openMembers(store: Store, name: string): Table<MemberRow> {
  return store.table<MemberRow>({
    name,
    id: (row) => `${row.of}:${row.user}`,
    indexes: { of: (row) => row.of, user: (row) => row.user },
  });
}

/** When the recorded site was installed, in seconds. */
const installedAt = 1_795_282_868;

/** The server the recordings began from: guest, admin, a limited user, the site course, category 1. */
function layBaseline(state: State): void {
  const person = { idnumber: '', auth: 'manual', suspended: false, deleted: false, lang: 'en' };
  const plain = { ...person, theme: '', texts: {}, custom: {} };
  const guest = 'This user is a special user that allows read-only access to some courses.';
  const people = [
    {
      username: 'guest',
      firstname: 'Guest user',
      lastname: ' ',
      email: 'root@localhost',
      texts: { description: guest },
    },
    { username: 'admin', firstname: 'Admin', lastname: 'User', email: 'admin@example.test' },
    {
      username: 'wslimited',
      firstname: 'WS',
      lastname: 'Limited',
      email: 'wslimited@example.test',
    },
  ];
  contextId(state, 'system', 0);
  for (const one of people) {
    state.users.put({ ...plain, ...one, id: state.store.nextId('user') });
  }
  const now = installedAt;
  state.categories.put({
    id: state.store.nextId('category'),
    name: 'Category 1',
    idnumber: null,
    description: '',
    parent: 0,
    sortorder: 10_000,
    timemodified: now,
  });
  state.courses.put({
    id: state.store.nextId('course'),
    fullname: 'Real Moodle',
    shortname: 'realmoodle',
    category: 0,
    idnumber: '',
    summary: '',
    format: 'site',
    visible: true,
    visibleOld: true,
    startdate: 0,
    enddate: 0,
    timecreated: now,
    timemodified: now,
    rank: state.store.nextId('rank'),
    stranded: null,
  });
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** The number of a context, which is given when it is first asked for. */
export function contextId(state: State, level: ContextLevel, instance: number): number {
  const known = state.contexts.find('place', `${level}:${instance}`)[0];
  if (known !== undefined) return known.id;
  const id = state.store.nextId('context');
  state.contexts.put({ id, level, instance });
  return id;
}

/** By first and last name as the database sorts them. */
const collator = new Intl.Collator('en', { sensitivity: 'base' });

export function compareText(a: string, b: string): number {
  return collator.compare(a, b);
}
