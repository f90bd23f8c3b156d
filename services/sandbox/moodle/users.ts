import { type Call, webFunction } from './call.ts';
import { codingError, invalidParameter, moodleFailure } from './failure.ts';
import { list, optional, raw, structure, text } from './params.ts';
import { fold, nowSeconds, type UserRow } from './state.ts';

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

export function imageOf(call: Call, size: 'f1' | 'f2'): string {
  return `${call.base}/theme/image.php/boost/core/1/u/${size}`;
}

export function fullname(user: UserRow): string {
  return `${user.firstname} ${user.lastname}`;
}

/** Texts that are left out while they are empty, at their place in the answer. */
function given(user: UserRow, ...keys: readonly string[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const key of keys) {
    const value = user.texts[key] ?? '';
    if (value !== '') out[key] = value;
  }
  return out;
}

/** A user as core_user functions answer it; keys without a value are absent (recording moodle-4.5.6/10). */
export function viewUser(call: Call, user: UserRow): Record<string, unknown> {
  const description = user.texts['description'] ?? '';
  const country = user.texts['country'] ?? '';
  const custom = viewCustomFields(call, user);
  return {
    ...viewName(user),
    ...given(user, 'address', 'phone1', 'phone2'),
    department: user.texts['department'] ?? '',
    ...given(user, 'institution'),
    ...(user.idnumber === '' ? {} : { idnumber: user.idnumber }),
    firstaccess: 0,
    lastaccess: 0,
    auth: user.auth,
    suspended: user.suspended,
    confirmed: true,
    lang: user.lang,
    theme: user.theme,
    timezone: '99',
    mailformat: 1,
    trackforums: 0,
    ...(description === '' ? {} : { description, descriptionformat: 1 }),
    ...given(user, 'city'),
    ...(country !== '' && regions.of(country) !== undefined ? { country } : {}),
    profileimageurlsmall: imageOf(call, 'f2'),
    profileimageurl: imageOf(call, 'f1'),
    ...(custom.length === 0 ? {} : { customfields: custom }),
    ...(user.id === call.user.id ? { preferences: preferences() } : {}),
  };
}

export function viewName(user: UserRow): Record<string, unknown> {
  return {
    id: user.id,
    username: user.username,
    firstname: user.firstname,
    lastname: user.lastname,
    fullname: fullname(user),
    email: user.email,
  };
}

function viewCustomFields(call: Call, user: UserRow) {
  const fields = [];
  for (const field of call.state.profileFields.all()) {
    const value = user.custom[field.shortname] ?? '';
    if (value === '') continue;
    const { name, shortname } = field;
    fields.push({ type: 'text', value, displayvalue: value, name, shortname });
  }
  return fields;
}

/** One's own preferences only; these two are what the recorded administrator had. */
function preferences() {
  return [
    { name: 'last_time_enrolments_synced', value: '1795282909' },
    { name: '_lastloaded', value: nowSeconds() },
  ];
}

const nulls = (...keys: readonly string[]) => keys.map((key) => [key, 'null'] as const);

/** Recording moodle-4.5.6/03. */
const userShape = {
  keys: [
    ...nulls('id', 'username', 'firstname', 'lastname', 'fullname', 'email', 'address', 'phone1'),
    ...nulls('phone2', 'department', 'institution', 'idnumber', 'interests', 'firstaccess'),
    ...nulls('lastaccess', 'auth', 'suspended', 'confirmed', 'lang', 'calendartype', 'theme'),
    ...nulls('timezone', 'mailformat', 'trackforums', 'description', 'descriptionformat', 'city'),
    ...nulls('country', 'profileimageurlsmall', 'profileimageurl'),
    ['customfields', 'list'] as const,
    ['preferences', 'list'] as const,
  ],
};

function byId(a: UserRow, b: UserRow): number {
  return a.id - b.id;
}

/**
 * Missing users are absent, deleted ones are still found by id, one value that is not clean spoils
 * the whole call (recording moodle-4.5.6/10, 13); without rights everybody is absent (02).
 */
const getByField = webFunction({
  params: structure({ field: text, values: list(raw) }),
  shape: userShape,
  run(call, { field, values }) {
    if (!['id', 'idnumber', 'username', 'email'].includes(field)) {
      throw codingError('invalid field parameter');
    }
    for (const value of values) {
      if (field === 'username' && !/^[a-z0-9._@-]*$/.test(value)) throw invalidParameter();
      if (field === 'id' && !/^-?\d+$/.test(value)) throw invalidParameter();
    }
    const found = new Map<number, UserRow>();
    for (const value of values) {
      const known = call.state.users.get(value);
      const rows =
        field === 'id'
          ? known === undefined
            ? []
            : [known]
          : call.state.users.find(field, fold(value));
      for (const row of rows) found.set(row.id, row);
    }
    if (!call.admin) return [];
    return [...found.values()].sort(byId).map((user) => viewUser(call, user));
  },
});

const likeKeys = ['firstname', 'lastname', 'email'] as const;
const exactKeys = ['id', 'idnumber', 'username', 'auth'] as const;

/** SQL's LIKE, without regard to letter case. */
function like(pattern: string): RegExp {
  const parts = pattern.split('%').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*').replaceAll('_', '.')}$`, 'isu');
}

/** A key that is not known is only warned of, and then everybody matches (recording moodle-4.5.6/10, 14). */
const getUsers = webFunction({
  params: structure({ criteria: list(structure({ key: text, value: raw })) }),
  run(call, { criteria }) {
    const warnings = [];
    const used = new Set<string>();
    const tests: ((user: UserRow) => boolean)[] = [(user) => !user.deleted];
    for (const { key, value } of criteria) {
      if (used.has(key)) throw moodleFailure('keyalreadyset', 'error/keyalreadyset');
      used.add(key);
      const likeKey = likeKeys.find((one) => one === key);
      const exactKey = exactKeys.find((one) => one === key);
      if (likeKey !== undefined) {
        const pattern = like(value);
        tests.push((user) => pattern.test(user[likeKey]));
      } else if (exactKey !== undefined) {
        tests.push((user) => fold(String(user[exactKey])) === fold(value));
      } else {
        warnings.push({
          item: key,
          warningcode: 'invalidfieldparameter',
          message: `The search key '${key}' is not supported, look at the web service documentation`,
        });
      }
    }
    const users = call.admin
      ? [...call.state.users.all()].filter((user) => tests.every((test) => test(user))).sort(byId)
      : [];
    return { users: users.map((user) => viewUser(call, user)), warnings };
  },
});

/** Site info names keys of which JSON leaves two out (recording moodle-4.5.6/01). */
const siteShape = {
  keys: [
    ...nulls('sitename', 'username', 'firstname', 'lastname', 'fullname', 'lang', 'userid'),
    ...nulls('siteurl', 'userpictureurl', 'functions', 'downloadfiles', 'uploadfiles', 'release'),
    ...nulls('version', 'mobilecssurl', 'advancedfeatures', 'usercanmanageownfiles', 'userquota'),
    ...nulls('usermaxuploadfilesize', 'userhomepage', 'userhomepageurl', 'userprivateaccesskey'),
    ...nulls('siteid', 'sitecalendartype', 'usercalendartype', 'userissiteadmin', 'theme'),
    ...nulls('limitconcurrentlogins', 'usersessionscount', 'policyagreed'),
  ],
};

const features: Readonly<Record<string, number>> = {
  usecomments: 1,
  usetags: 1,
  enablenotes: 1,
  messaging: 1,
  enableblogs: 1,
  enablecompletion: 1,
  enablebadges: 1,
  messagingallusers: 0,
  enablecustomreports: 1,
  enableglobalsearch: 0,
  mnet_dispatcher_mode: 0,
  enablecompetencies: 1,
};

const siteInfo = webFunction({
  params: structure({ serviceshortnames: optional(list(raw)) }),
  shape: siteShape,
  run: (call) => ({
    sitename: 'Real Moodle',
    username: call.user.username,
    firstname: call.user.firstname,
    lastname: call.user.lastname,
    fullname: fullname(call.user),
    lang: call.user.lang,
    userid: call.user.id,
    siteurl: call.base,
    userpictureurl: imageOf(call, 'f1'),
    functions: call.service.map((name) => ({
      name,
      version: name.startsWith('core_') ? '2024100706' : '2024100700',
    })),
    downloadfiles: 0,
    uploadfiles: 0,
    release: '4.5.6 (Build: 20250811)',
    version: '2024100706',
    mobilecssurl: '',
    advancedfeatures: Object.entries(features).map(([name, value]) => ({ name, value })),
    usercanmanageownfiles: true,
    userquota: call.admin ? 0 : 104_857_600,
    usermaxuploadfilesize: call.admin ? -1 : 536_870_912,
    userhomepage: 1,
    // The recordings keep no key here either; nothing reads it.
    userprivateaccesskey: '{redacted}',
    siteid: 1,
    sitecalendartype: 'gregorian',
    usercalendartype: 'gregorian',
    userissiteadmin: call.admin,
    theme: 'boost',
    limitconcurrentlogins: 0,
    policyagreed: 0,
  }),
});

export const userReads = {
  core_webservice_get_site_info: siteInfo,
  core_user_get_users_by_field: getByField,
  core_user_get_users: getUsers,
};
