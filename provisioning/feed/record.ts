/**
 * What a feed says, in the neutral words of the roster model.
 *
 * Every reader (ws17/, oneroster/) turns its own format into this stream and nothing else; the
 * roster never learns which format a record came from. Names of protected people do not pass this
 * border: a reader replaces them by the alias, or by null where there is none.
 */

export type InstitutionKind = 'school' | 'daycare' | 'youth' | 'authority' | 'other';
export type AffiliationKind = 'pupil' | 'staff' | 'external' | 'guardian';
export type GroupKind = 'class' | 'year' | 'teaching' | 'line' | 'team' | 'afterschool' | 'other';
export type MembershipRole = 'learner' | 'teacher' | 'lead' | 'assistant' | 'member';
export type TermKind = 'schoolYear' | 'semester' | 'term' | 'period';

/** Staff and external roles, in English: the words policy conditions are written in. */
export type AffiliationRole =
  | 'child'
  | 'pupil'
  | 'student'
  | 'teacher'
  | 'pedagogue'
  | 'substitute'
  | 'leader'
  | 'management'
  | 'support'
  | 'consultant'
  | 'trainee'
  | 'external'
  | 'guardian';

export interface InstitutionRecord {
  readonly entity: 'institution';
  /** Institution number, 6 characters, letters possible; stable over years. */
  readonly key: string;
  readonly name: string;
  readonly kind: InstitutionKind;
  readonly parent: string | null;
}

export interface TermRecord {
  readonly entity: 'term';
  readonly key: string;
  readonly name: string;
  readonly kind: TermKind;
  /** ISO dates; `to` is the last day. */
  readonly from: string;
  readonly to: string;
  readonly parent: string | null;
}

export interface PersonId {
  /** `uni-id`, or another system's name as the feed gives it, lower-cased. */
  readonly system: string;
  readonly value: string;
}

export interface PersonRecord {
  readonly entity: 'person';
  /** The source's own stable id of the person (WS17: UserId; OneRoster: sourcedId). */
  readonly key: string;
  readonly ids: readonly PersonId[];
  readonly protected: boolean;
  /** The name that may be shown: the alias of a protected person, null where a protected person has none. */
  readonly given: string | null;
  readonly family: string | null;
  readonly email: string | null;
  /** False when the feed says that the person must not sign in (OneRoster enabledUser); not the same as gone. */
  readonly mayLogIn: boolean;
}

export interface AffiliationRecord {
  readonly entity: 'affiliation';
  /** `affiliationKey()`. */
  readonly key: string;
  readonly person: string;
  readonly institution: string;
  readonly kind: AffiliationKind;
  readonly roles: readonly AffiliationRole[];
  /** `0`-`10`, `DT`, `U1`-`U4`, `VU`, `other`, or null. */
  readonly grade: string | null;
  /** The person's id in the school's own system, where the feed has one. */
  readonly localId: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** True, false, or null where the feed does not say which affiliation is the primary one. */
  readonly primary: boolean | null;
}

export interface GroupRecord {
  readonly entity: 'group';
  /** `groupKey()` for WS17; the class sourcedId for OneRoster. */
  readonly key: string;
  readonly institution: string;
  readonly kind: GroupKind;
  readonly name: string;
  readonly grade: string | null;
  readonly line: string | null;
  readonly subject: string | null;
  /** Term keys (OneRoster), or dates (WS17); empty and null where the feed has none. */
  readonly terms: readonly string[];
  readonly from: string | null;
  readonly to: string | null;
}

export interface MembershipRecord {
  readonly entity: 'membership';
  /** `membershipKey()`. */
  readonly key: string;
  readonly affiliation: string;
  readonly person: string;
  readonly institution: string;
  readonly group: string;
  readonly role: MembershipRole;
  /** True for a pupil's home class (MainGroupId), and for a class's primary teacher. */
  readonly main: boolean;
  readonly from: string | null;
  readonly to: string | null;
}

export interface RelationRecord {
  readonly entity: 'relation';
  readonly key: string;
  readonly guardian: string;
  readonly child: string;
  /** The child's institution whose feed states the relation. */
  readonly institution: string;
  readonly kind: 'mother' | 'father' | 'other' | 'officially-attached';
  readonly custody: boolean | null;
}

export type RosterRecord =
  | InstitutionRecord
  | TermRecord
  | PersonRecord
  | AffiliationRecord
  | GroupRecord
  | MembershipRecord
  | RelationRecord;

export type Entity = RosterRecord['entity'];

/** How much a snapshot says of an entity: all there is, only changes, or nothing. */
export type Completeness = 'full' | 'delta' | 'silent';

/** Something in the feed that is not as the format promises. Never carries a name, an id number or a cell's text. */
export interface Diagnostic {
  /** Stable, lower-case with hyphens, for example `group-dangling`. */
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** File name relative to the feed's root. */
  readonly file: string;
  /** Line (XML) or row (CSV, header = 1); null for the file as a whole. */
  readonly line: number | null;
  /** Element, attribute or column name. */
  readonly field: string | null;
  /** One sentence: what is wrong and what to do about it. No personal values. */
  readonly message: string;
}

/**
 * The stream a reader yields. `snapshot` comes first; `coverage` comes once per institution and must
 * come after everything of that institution was read; a reader that finds the feed truncated, empty
 * or wrongly encoded throws FeedError, and the whole snapshot is refused.
 */
export type FeedItem =
  | {
      readonly type: 'snapshot';
      readonly format: string;
      readonly takenAt: string | null;
      /** `2026-2027`, or null where the feed does not say. */
      readonly schoolYear: string | null;
    }
  | { readonly type: 'record'; readonly record: RosterRecord }
  /**
   * By what a person can be recognised, beyond the ids of the person record and the local ids of
   * affiliations: the keyed hash of a civil number, or a second local id. It is kept nowhere but
   * among the evidence. `as` says which affiliation the feed says it of; null: of the person.
   */
  | {
      readonly type: 'evidence';
      readonly person: string;
      readonly as: AffiliationKind | null;
      /** `civil:K` or `replacement:K` (see civil.ts), or `localSystem()`. */
      readonly system: string;
      readonly value: string;
    }
  /** An explicit removal in a delta (OneRoster `tobedeleted`). */
  | { readonly type: 'removed'; readonly entity: Entity; readonly key: string }
  /**
   * A record that could not be read. It counts as "present, unknown": its last good version stays.
   * `key` is the record's own key; `person` and `group` name what it touches, so that what hangs on
   * them stays too; all three null means "something of this entity in this institution", and then
   * nothing of that entity may leave there. `institution` null means any institution.
   */
  | {
      readonly type: 'rejected';
      readonly entity: Entity;
      readonly key: string | null;
      readonly institution: string | null;
      readonly person: string | null;
      readonly group: string | null;
      readonly diagnostic: Diagnostic;
    }
  | { readonly type: 'diagnostic'; readonly diagnostic: Diagnostic }
  | {
      readonly type: 'coverage';
      readonly institution: string;
      readonly affiliation: Completeness;
      readonly group: Completeness;
      readonly membership: Completeness;
      readonly relation: Completeness;
    };

export function affiliationKey(p: {
  readonly institution: string;
  readonly person: string;
  readonly kind: AffiliationKind;
}): string {
  return `${p.institution}/${p.person}/${p.kind}`;
}

/** Group ids are unique only within an institution. */
export function groupKey(p: { readonly institution: string; readonly groupId: string }): string {
  return `${p.institution}/${p.groupId}`;
}

export function membershipKey(p: { readonly affiliation: string; readonly group: string }): string {
  return `${p.affiliation}>${p.group}`;
}

/** The system that a local id belongs to: it means something at its institution only. */
export function localSystem(institution: string): string {
  return `local:${institution}`;
}

export type FeedErrorCode =
  | 'feed-not-found'
  | 'feed-empty'
  | 'feed-truncated'
  | 'feed-malformed'
  | 'feed-wrong-charset'
  | 'feed-unknown-format'
  | 'feed-file-missing'
  | 'feed-column-missing'
  | 'feed-too-large';

/** The feed as a whole cannot be trusted: the snapshot is refused and nothing changes. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: FeedErrorCode;
  readonly file: string | null;
  readonly line: number | null;

  constructor(p: {
    readonly code: FeedErrorCode;
    /** What is wrong and what to do; no personal values. */
    readonly message: string;
    readonly file?: string | null;
    readonly line?: number | null;
    readonly cause?: unknown;
  }) {
    super(p.message, { cause: p.cause });
    this.code = p.code;
    this.file = p.file ?? null;
    this.line = p.line ?? null;
  }
}
