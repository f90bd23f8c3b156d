/**
 * The policy file: a municipality's own rules as data. Every setting has a default, so that an empty
 * policy (`version: 1`) is the Danish default; `default.yaml` spells it out with comments.
 */

import { z } from 'zod';
import { Approval, Undo } from './approval-schema.ts';
import { Calendar } from './calendar/schema.ts';
import { findContradictions } from './contradiction.ts';
import { Limits } from './limit-schema.ts';
import { findTemplateFault, groupFields, schoolFields } from './template.ts';

const affiliationKinds = ['pupil', 'staff', 'external', 'guardian'] as const;
export const affiliationRoles = [
  'child',
  'pupil',
  'student',
  'teacher',
  'pedagogue',
  'substitute',
  'leader',
  'management',
  'support',
  'consultant',
  'trainee',
  'external',
  'guardian',
] as const;
export const institutionKinds = ['school', 'daycare', 'youth', 'authority', 'other'] as const;
export const groupKinds = [
  'class',
  'year',
  'teaching',
  'line',
  'team',
  'afterschool',
  'other',
] as const;
export const membershipRoles = ['learner', 'teacher', 'lead', 'assistant', 'member'] as const;

/** What of a person may go into a custom profile field of Moodle. */
export const profileSources = ['uniId', 'kind', 'grade', 'institutionNumber'] as const;

export const usernameStrategies = [
  'uni-id-or-name-sequential',
  'uni-id-or-name-random',
  'name-sequential',
  'digits-name',
  'prefix-name-serial',
  'prefix-serial-name',
  'uni-id',
  'random',
] as const;

/** Marks an issue of a template, for the code that the problem gets. */
export const templateIssue = { template: true } as const;

function template(fields: readonly string[]) {
  return z
    .string()
    .min(1)
    .max(200)
    .superRefine((text, context) => {
      const fault = findTemplateFault({ template: text, fields });
      if (fault !== null)
        context.addIssue({ code: 'custom', message: fault, params: templateIssue });
    })
    .describe(`A name with fields: ${fields.map((field) => `{${field}}`).join(' ')}`);
}

const Quota = z
  .string()
  .regex(
    /^(none|default|\d+(\.\d+)? ?(B|KB|MB|GB|TB))$/,
    'not none, default, or a size such as 5 GB',
  )
  .transform((text) => text.replace(/(\d) ?([A-Z])/, '$1 $2'))
  .describe('none (unlimited), default (the server decides), or a size such as `5 GB`');

const FolderQuota = z
  .string()
  .regex(/^(none|\d+(\.\d+)? ?(B|KB|MB|GB|TB))$/, 'not none, or a size such as 10 GB')
  .transform((text) => text.replace(/(\d) ?([A-Z])/, '$1 $2'))
  .describe('none (unlimited), or a size such as `10 GB`');

const Grade = z.union([z.string().min(1), z.int().min(0).max(10)]).transform(String);
const InstitutionNumber = z.string('not text: an institution number must stand in quotes').min(1);
const Key = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}$/, 'not a short name of a-z, 0-9 and hyphens')
  .describe('Part of an id that must never change: a-z, 0-9, hyphens, at most 20 characters');
const Language = z
  .string()
  .regex(/^[a-z]{2,3}([_-][A-Za-z]{2,4})?$/, 'not a language code such as da');
const Days = z.int().min(0).max(3650);

const Condition = z
  .strictObject({
    kinds: z.array(z.enum(affiliationKinds)).min(1).optional(),
    roles: z.array(z.enum(affiliationRoles)).min(1).optional(),
    grades: z.array(Grade).min(1).optional(),
    institutions: z.array(InstitutionNumber).min(1).optional(),
    institutionKinds: z.array(z.enum(institutionKinds)).min(1).optional(),
    groupKinds: z.array(z.enum(groupKinds)).min(1).optional(),
  })
  .describe('All lists that are given must fit one and the same affiliation');

const Package = z.strictObject({
  name: z.string().min(1).max(60),
  when: Condition,
  gives: z.strictObject({
    keycloak: z.boolean().default(false),
    nextcloud: z
      .strictObject({
        quota: Quota.default('default'),
        language: Language.nullable().default(null),
      })
      .nullable()
      .default(null),
    moodle: z
      .strictObject({
        auth: z
          .string()
          .regex(/^[a-z][a-z0-9_]*$/)
          .default('oidc'),
        email: z.enum(['synthetic', 'real']).default('synthetic'),
        emailDomain: z
          .string()
          .max(35)
          .regex(
            /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+invalid$/,
            'not a domain that ends in .invalid',
          )
          .default('elev.invalid'),
        profileFields: z
          .record(
            z.string().regex(/^[a-zA-Z0-9_]{1,100}$/, 'not the short name of a profile field'),
            z.enum(profileSources),
          )
          .default({})
          .describe('Custom profile field of Moodle, by its short name -> what it is filled with'),
      })
      .nullable()
      .default(null),
  }),
});

const defaultPackages = [
  {
    name: 'pupils',
    when: { kinds: ['pupil'], roles: ['pupil', 'student'] },
    gives: { keycloak: true, nextcloud: { quota: '5 GB' }, moodle: {} },
  },
  {
    name: 'staff',
    when: { kinds: ['staff'] },
    gives: { keycloak: true, nextcloud: { quota: '20 GB' }, moodle: {} },
  },
  { name: 'externals', when: { kinds: ['external'] }, gives: { keycloak: true, moodle: {} } },
] satisfies z.input<typeof Package>[];

const Usernames = z.strictObject({
  strategy: z.enum(usernameStrategies).default('uni-id'),
  fallback: z.enum(usernameStrategies).exclude(['uni-id']).default('random'),
  strategyProtected: z.enum(['uni-id', 'random']).default('uni-id'),
  letters: z.int().min(2).max(6).default(4),
  digits: z.int().min(2).max(8).default(4),
  prefix: z
    .string()
    .regex(/^([a-z][a-z0-9]{0,9})?$/, 'not up to 10 characters of a-z and 0-9, a letter first')
    .default(''),
});

const Access = z.enum(['none', 'read', 'write', 'share']);

type GroupSwitch = 'keycloak' | 'nextcloud' | 'folder' | 'course' | 'cohort';

/** Each setting has its own default for each kind, so that a policy can change just one of them. */
function groupRules(p: {
  readonly on: readonly GroupSwitch[];
  readonly members: readonly (typeof membershipRoles)[number][];
}) {
  const has = (name: GroupSwitch) => z.boolean().default(p.on.includes(name));
  return z
    .strictObject({
      keycloak: has('keycloak'),
      nextcloud: has('nextcloud'),
      folder: has('folder'),
      course: has('course'),
      cohort: has('cohort'),
      members: z
        .array(z.enum(membershipRoles))
        .min(1)
        .default([...p.members]),
    })
    .prefault({});
}

const taught = ['learner', 'teacher', 'lead', 'assistant'] as const;
const Groups = z
  .strictObject({
    class: groupRules({
      on: ['keycloak', 'nextcloud', 'folder', 'course', 'cohort'],
      members: taught,
    }),
    teaching: groupRules({ on: ['course'], members: taught }),
    team: groupRules({ on: ['nextcloud'], members: membershipRoles }),
    year: groupRules({ on: [], members: membershipRoles }),
    line: groupRules({ on: [], members: membershipRoles }),
    afterschool: groupRules({ on: [], members: membershipRoles }),
    other: groupRules({ on: [], members: membershipRoles }),
  })
  .prefault({});

const SchoolGroup = z.strictObject({
  key: Key,
  name: template(schoolFields),
  when: Condition.omit({ groupKinds: true }),
});

const SchoolFolder = z.strictObject({
  key: Key,
  name: template(schoolFields),
  quota: FolderQuota.default('none'),
  access: z.record(Key, Access),
});

const defaultSchoolGroups = [
  { key: 'pupils', name: '{institutionName} elever', when: { kinds: ['pupil'] } },
  {
    key: 'teachers',
    name: '{institutionName} lærere og pædagoger',
    when: { kinds: ['staff'], roles: ['teacher', 'pedagogue', 'substitute'] },
  },
  {
    key: 'leaders',
    name: '{institutionName} ledelse',
    when: { kinds: ['staff'], roles: ['leader', 'management'] },
  },
  { key: 'staff', name: '{institutionName} personale', when: { kinds: ['staff'] } },
] satisfies z.input<typeof SchoolGroup>[];

const Schools = z.strictObject({
  institutionKinds: z
    .array(z.enum(institutionKinds))
    .default(['school', 'youth', 'authority', 'other']),
  name: template(schoolFields).default('{institutionName}'),
  groups: z.array(SchoolGroup).prefault(defaultSchoolGroups),
  folders: z
    .array(SchoolFolder)
    .prefault([
      { key: 'staff-folder', name: '{institutionName} personale', access: { staff: 'write' } },
    ]),
});

const GroupNames = z.strictObject({
  keycloak: template(groupFields).default('{groupName} {schoolYear}'),
  nextcloud: template(groupFields).default('{groupName} {institutionName}'),
  cohort: template(groupFields).default('{groupName} {institutionName}'),
});

/** A name that WebDAV takes as it stands. */
const SubfolderName = z
  .string()
  .regex(
    /^(?!\.{1,2}$)[^\\/<>:"|?*\s](?:[^\\/<>:"|?*\n]{0,98}[^\\/<>:"|?*\s])?$/,
    'not a folder name',
  );

const Subfolder = z
  .strictObject({
    name: SubfolderName,
    learners: Access.default('none'),
    teachers: Access.default('write'),
    school: z.record(Key, Access).default({}),
  })
  .describe('A folder in the folder of each group, in which some may do less');

const Folders = z.strictObject({
  subfolders: z.array(Subfolder).default([]),
  name: template(groupFields).default('{groupName} {schoolYear} ({institutionName})'),
  quota: FolderQuota.default('none'),
  access: z
    .strictObject({
      learners: Access.default('write'),
      teachers: Access.default('write'),
      school: z.record(Key, Access).default({ leaders: 'read' }),
    })
    .prefault({}),
});

const MoodleRoleName = z.enum(['manager', 'editingteacher', 'teacher', 'student']);
const Courses = z.strictObject({
  fullName: template(groupFields).default('{groupName} {subject} {schoolYear}'),
  shortName: template(groupFields).default('{institutionNumber}-{groupId}-{schoolYear}'),
  roles: z
    .strictObject({
      learner: MoodleRoleName.nullable().default('student'),
      teacher: MoodleRoleName.nullable().default('editingteacher'),
      lead: MoodleRoleName.nullable().default('editingteacher'),
      assistant: MoodleRoleName.nullable().default('teacher'),
      member: MoodleRoleName.nullable().default(null),
    })
    .prefault({}),
  affiliationRoles: z
    .partialRecord(z.enum(affiliationRoles), MoodleRoleName)
    .default({ substitute: 'teacher', trainee: 'teacher' }),
  cohortMembers: z.array(z.enum(membershipRoles)).min(1).default(['learner']),
  categoryRoles: z
    .partialRecord(z.enum(affiliationRoles), MoodleRoleName)
    .default({})
    .describe('Roles in all courses of a school, by the role that somebody has there'),
  template: z
    .string()
    .min(1)
    .max(255)
    .nullable()
    .default(null)
    .describe('Short name of the course that new ones are copied from, without its people'),
});

const perKind = (days: { readonly [Kind in (typeof affiliationKinds)[number]]: number }) =>
  z
    .strictObject({
      pupil: Days.default(days.pupil),
      staff: Days.default(days.staff),
      external: Days.default(days.external),
      guardian: Days.default(days.guardian),
    })
    .prefault({});

const Lifecycle = z.strictObject({
  readyDays: perKind({ pupil: 14, staff: 7, external: 0, guardian: 0 }).describe(
    'Days before the first day on which accounts are made; 0: on the day',
  ),
  hideUntilStart: z.boolean().default(false).describe('Accounts made ahead are shut until the day'),
  graceDays: perKind({ pupil: 7, staff: 7, external: 7, guardian: 7 }),
  retentionDays: perKind({ pupil: 60, staff: 60, external: 60, guardian: 60 }),
  roles: z
    .partialRecord(
      z.enum(affiliationRoles),
      z.strictObject({ graceDays: Days.optional(), retentionDays: Days.optional() }),
    )
    .default({})
    .describe('Other days for a role; of all roles that somebody had, the longest counts'),
});

const Primary = z
  .strictObject({
    kinds: z.array(z.enum(affiliationKinds)).default([...affiliationKinds]),
    institutionKinds: z
      .array(z.enum(institutionKinds))
      .default(['school', 'youth', 'authority', 'other', 'daycare']),
  })
  .describe(
    'Which institution comes first for people at several, where no feed and nobody says so',
  );

const Answer = z.enum(['repair', 'report', 'adopt']);
const Drift = z
  .strictObject({
    memberships: Answer.default('repair'),
    extraMemberships: Answer.default('report'),
    enabled: Answer.default('repair'),
    missing: z.enum(['repair', 'report']).default('repair'),
    names: Answer.default('report'),
    email: Answer.default('report'),
    placement: Answer.default('report'),
    other: Answer.default('report'),
  })
  .describe('What is done about what somebody changed in a target by hand');

const IdpAlias = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,255}$/, 'not an identity provider alias')
  .nullable()
  .default(null);

/** Which of several servers of one type holds what; without a route a type has one server, and it holds all. */
const Route = z.strictObject({
  target: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'not the name of a target'),
  type: z.enum(['keycloak', 'nextcloud', 'moodle']),
  /** Numbers of institutions; absent: all. */
  institutions: z.array(z.string()).optional(),
  institutionKinds: z.array(z.enum(institutionKinds)).optional(),
  /** Kinds of resources; absent: all that the type can hold. */
  only: z.array(z.enum(['account', 'group', 'folder', 'category', 'course', 'cohort'])).optional(),
});

const RoleName = z.string().regex(/^[^\s/]{1,255}$/, 'not a role name');

const Keycloak = z.strictObject({
  idpAlias: z.strictObject({ pupil: IdpAlias, staff: IdpAlias, external: IdpAlias }).prefault({}),
  /** School groups that stand in Keycloak too, and the roles that their members get there. */
  roleGroups: z
    .array(
      z.strictObject({
        group: Key,
        realmRoles: z.array(RoleName).default([]),
        clientRoles: z.record(z.string().min(1), z.array(RoleName).min(1)).default({}),
      }),
    )
    .default([]),
  /** Pupils of these grades get a start password; `change`: for the first login only. */
  startPasswords: z
    .strictObject({ grades: z.array(Grade).default([]), change: z.boolean().default(false) })
    .prefault({}),
});

const Nextcloud = z.strictObject({
  /** What becomes of an account's files when it is deleted; the user id is that of a Nextcloud account. */
  onDelete: z
    .union([
      z.literal('delete'),
      z.strictObject({ keepFilesWith: z.string().regex(/^[a-zA-Z0-9_.@-]{1,64}$/) }),
    ])
    .default('delete'),
});

const PolicyShape = z.strictObject({
  version: z.literal(1, 'not a policy version that this Skolebus knows'),
  language: Language.default('da'),
  routes: z.array(Route).default([]),
  packages: z.array(Package).prefault(defaultPackages),
  usernames: Usernames.prefault({}),
  email: z
    .strictObject({ realFor: z.array(z.enum(affiliationKinds)).default(['staff', 'external']) })
    .prefault({}),
  schools: Schools.prefault({}),
  groups: Groups,
  groupNames: GroupNames.prefault({}),
  folders: Folders.prefault({}),
  courses: Courses.prefault({}),
  keycloak: Keycloak.prefault({}),
  nextcloud: Nextcloud.prefault({}),
  calendar: Calendar,
  limits: Limits,
  drift: Drift.prefault({}),
  approval: Approval,
  undo: Undo,
  lifecycle: Lifecycle.prefault({}),
  primary: Primary.prefault({}),
});

/** A policy with every default filled in. */
export type Policy = z.output<typeof PolicyShape>;
export type Condition = z.output<typeof Condition>;
export type FolderAccess = z.output<typeof Access>;

export const PolicyFile = PolicyShape.superRefine((policy, context) => {
  for (const fault of findContradictions(policy)) {
    context.addIssue({ code: 'custom', path: [...fault.path], message: fault.message });
  }
});

/** JSON Schema of the file as people write it, for completion in editors and forms. */
export function policyJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(PolicyShape, { io: 'input' });
}
