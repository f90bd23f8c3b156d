/**
 * What policy wants to stand in a target, one resource at a time.
 *
 * Bodies refer to other resources by their key in the ledger, never by a target's own id, so that a
 * plan can be computed before anything exists. Every list is sorted and free of doubles: two bodies
 * mean the same exactly when they are equal as JSON.
 */

import type { AffiliationKind } from '../feed/record.ts';

export type TargetType = 'keycloak' | 'nextcloud' | 'moodle';
export type ResourceKind = 'group' | 'account' | 'folder' | 'category' | 'course' | 'cohort';

/** A Keycloak user. Roles come with the groups. */
export interface KeycloakAccount {
  readonly username: string;
  readonly given: string;
  readonly family: string;
  readonly email: string | null;
  readonly active: boolean;
  /** Multi-valued user attributes: uniId, institutions, kinds, roles, grades. Absent rather than empty. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** Keys of group resources. */
  readonly groups: readonly string[];
  /** Brokered logins written ahead. */
  readonly links: readonly { readonly provider: string; readonly userId: string }[];
  /**
   * For pupils too young for a brokered login: given once, to an account that has no password, and
   * never read back. `change`: another one has to be chosen at the first login.
   */
  readonly startPassword?: { readonly change: boolean };
}

export interface KeycloakGroup {
  /** Display text, without slash. */
  readonly name: string;
  /** Key of the parent group resource. */
  readonly parent: string | null;
  readonly active: boolean;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** Roles that the members get. Names of realm roles, sorted. */
  readonly realmRoles?: readonly string[];
  /** A client's id -> names of its roles, sorted. */
  readonly clientRoles?: Readonly<Record<string, readonly string[]>>;
}

export interface NextcloudAccount {
  readonly userId: string;
  readonly displayName: string;
  readonly email: string | null;
  /** `none`, `default`, or a size such as `5 GB`. */
  readonly quota: string;
  readonly language: string;
  readonly active: boolean;
  /** Keys of group resources. */
  readonly groups: readonly string[];
  /** User id of whoever gets the files before the account is deleted; absent: they go with it. */
  readonly keepFilesWith?: string;
}

export interface NextcloudGroup {
  /** At most 64 characters: a longer one silently becomes a hash. */
  readonly groupId: string;
  readonly displayName: string;
  readonly active: boolean;
}

export interface NextcloudFolder {
  readonly mountPoint: string;
  /** Bytes; -3 is unlimited. */
  readonly quota: number;
  /** Key of group resource -> permission bits (1 read, 2 update, 4 create, 8 delete, 16 share). */
  readonly access: Readonly<Record<string, number>>;
  /** False: nobody may write any more, everybody with access may read. */
  readonly active: boolean;
  /** Folders inside, with other rights; sorted by path. Absent rather than empty. */
  readonly subfolders?: readonly NextcloudSubfolder[];
}

/** A folder in a Team folder, in which some groups may do less than in the whole of it. */
export interface NextcloudSubfolder {
  /** Below the Team folder, with `/` between its parts. */
  readonly path: string;
  /** Key of group resource -> permission bits; a group that is not named keeps those of the folder. */
  readonly access: Readonly<Record<string, number>>;
}

export interface MoodleAccount {
  readonly username: string;
  readonly firstname: string;
  readonly lastname: string;
  readonly email: string;
  readonly auth: string;
  readonly active: boolean;
  /** Custom profile fields by their short name; an administrator must have made them. Absent: none. */
  readonly profileFields?: Readonly<Record<string, string>>;
}

export interface MoodleCategory {
  readonly name: string;
  /** Key of the parent category resource. */
  readonly parent: string | null;
  readonly active: boolean;
  /** Key of account resource -> roles in the whole category, sorted. Absent: nobody has one. */
  readonly roles?: Readonly<Record<string, readonly MoodleRole[]>>;
}

export type MoodleRole = 'manager' | 'editingteacher' | 'teacher' | 'student';

export interface MoodleCourse {
  readonly fullname: string;
  readonly shortname: string;
  /** Key of a category resource. */
  readonly category: string;
  /** ISO dates, or null to let Moodle fill them in. */
  readonly startDate: string | null;
  readonly endDate: string | null;
  readonly active: boolean;
  /** Key of account resource -> roles, sorted. */
  readonly enrolments: Readonly<Record<string, readonly MoodleRole[]>>;
  /** Short name of the course that a new one is copied from, without its people. Absent: it starts empty. */
  readonly template?: string;
  /** Name of a group inside the course -> keys of enrolled accounts, sorted. Absent: no groups of ours. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

export interface MoodleCohort {
  readonly name: string;
  /** Key of a category resource. */
  readonly category: string;
  readonly active: boolean;
  /** Keys of account resources. */
  readonly members: readonly string[];
}

export type Body =
  | KeycloakGroup
  | KeycloakAccount
  | NextcloudGroup
  | NextcloudAccount
  | NextcloudFolder
  | MoodleCategory
  | MoodleAccount
  | MoodleCourse
  | MoodleCohort;

/**
 * The order in which kinds are set down in a target: what others refer to comes first. Removal runs
 * the other way round.
 */
export const kindOrder: Readonly<Record<TargetType, readonly ResourceKind[]>> = {
  keycloak: ['group', 'account'],
  nextcloud: ['group', 'account', 'folder'],
  moodle: ['category', 'account', 'cohort', 'course'],
};

/** One resource as policy wants it. */
export interface DesiredResource {
  /** Type of target; which server of the type it is decides `routeResource`. */
  readonly target: TargetType;
  readonly kind: ResourceKind;
  /** Stable for the life of the resource: `person:<uuid>`, `school:<number>`, `school:<number>:staff`, `group:<group key>`. */
  readonly key: string;
  /** The institution whose limits count this resource. */
  readonly institution: string | null;
  /** Institutions that the resource serves; routes look at them. Absent: `institution` alone. */
  readonly serves?: readonly string[];
  /** What people read in a plan; alias-safe. */
  readonly title: string;
  /** Person id, for accounts. */
  readonly person: string | null;
  /** `kind/key` of what must exist in the same target before this can be written. */
  readonly needs: readonly string[];
  readonly body: Body;
  /** The day on which a hidden account is opened; its body is as it will be then. Absent: it is open. */
  readonly opens?: string;
}

/** A person as policy sees one: names already alias-safe, one entry per present affiliation. */
export interface PersonSlice {
  /** Own immutable person id (uuid). */
  readonly id: string;
  /** Given once, kept for life. */
  readonly username: string;
  readonly uniId: string | null;
  readonly protected: boolean;
  /** Null where a protected person has no alias: policy then shows a neutral placeholder. */
  readonly given: string | null;
  readonly family: string | null;
  readonly email: string | null;
  readonly mayLogIn: boolean;
  readonly affiliations: readonly AffiliationSlice[];
  readonly groups: readonly PersonGroupSlice[];
}

export interface AffiliationSlice {
  readonly institution: string;
  readonly kind: AffiliationKind;
  readonly roles: readonly string[];
  readonly grade: string | null;
  readonly primary: boolean;
  /** Its first day, where that lies ahead; null or absent: it has begun. */
  readonly starts?: string | null;
  /** Kinds of the groups that the person is in through this affiliation; needed only where a package's condition names group kinds. */
  readonly groupKinds?: readonly string[];
}

export interface PersonGroupSlice {
  readonly key: string;
  readonly institution: string;
  readonly kind: string;
  readonly role: string;
  readonly main: boolean;
}

export interface InstitutionSlice {
  readonly key: string;
  readonly name: string;
  readonly kind: string;
}

/** Somebody with a role at an institution that policy asks about. */
export interface InstitutionPersonSlice {
  readonly person: string;
  /** Roles at this institution. */
  readonly roles: readonly string[];
  /** All present affiliations of the person: they decide whether there is an account at all. */
  readonly affiliations: readonly AffiliationSlice[];
}

/** A class, team or other group with the people in it. */
export interface GroupSlice {
  readonly key: string;
  readonly institution: InstitutionSlice;
  readonly kind: string;
  readonly name: string;
  readonly grade: string | null;
  readonly line: string | null;
  readonly subject: string | null;
  /** First and last day, from the group's dates or its terms. */
  readonly from: string | null;
  readonly to: string | null;
  /** The school year that it belongs to, where that has not begun; null or absent: the running one. */
  readonly schoolYear?: string | null;
  readonly members: readonly GroupMemberSlice[];
}

export interface GroupMemberSlice {
  readonly person: string;
  readonly role: string;
  /** The kind of the affiliation through which the person is in the group. */
  readonly kind: AffiliationKind;
  /** All present affiliations of the person: they decide whether the person has an account at all. */
  readonly affiliations: readonly AffiliationSlice[];
}
