import { deriveMembershipRole, kindOfRole } from '../../provisioning/feed/membership-role.ts';
import type {
  AffiliationRole,
  GroupKind,
  RelationRecord,
  RosterRecord,
} from '../../provisioning/feed/record.ts';
import { affiliationKey, groupKey, membershipKey } from '../../provisioning/feed/record.ts';

/** What is so in a generated municipality on one day, before any format has its say. */
export interface Municipality {
  readonly seed: number;
  /** 1 is the first day. */
  readonly day: number;
  /** ISO date. */
  readonly date: string;
  /** `2026-2027` */
  readonly schoolYear: string;
  readonly schools: readonly School[];
  readonly people: readonly Person[];
  readonly relations: readonly Relation[];
}

export interface School {
  /** Institution number. */
  readonly number: string;
  readonly name: string;
  readonly groups: readonly Group[];
}

export interface Group {
  /** Unique within the school only, as in WS17. */
  readonly id: string;
  readonly kind: GroupKind;
  readonly name: string;
  readonly grade: string | null;
  readonly line: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

export interface Person {
  readonly uniId: string;
  /** The civil name, which only the WS17 document of a protected person carries beside the alias. */
  readonly given: string;
  readonly family: string;
  readonly protected: boolean;
  readonly alias: { readonly given: string; readonly family: string } | null;
  readonly email: string | null;
  readonly places: readonly Place[];
}

/** Somebody's place at a school, one kind of affiliation each. */
export interface Place {
  readonly school: string;
  readonly roles: readonly [AffiliationRole, ...AffiliationRole[]];
  readonly grade: string | null;
  readonly localId: string | null;
  /** Group ids; the main one is among them. */
  readonly groups: readonly string[];
  readonly mainGroup: string | null;
}

export interface Relation {
  readonly guardian: string;
  readonly child: string;
  readonly kind: RelationRecord['kind'];
  readonly custody: boolean;
}

/** The names that may be shown. */
export function shownName(person: Person): {
  readonly given: string | null;
  readonly family: string | null;
} {
  if (!person.protected) return { given: person.given, family: person.family };
  return { given: person.alias?.given ?? null, family: person.alias?.family ?? null };
}

/** The records that every reader must make of this municipality, whatever the format between. */
export function* toRecords(truth: Municipality): Generator<RosterRecord> {
  for (const school of truth.schools) {
    const { number: key, name } = school;
    yield { entity: 'institution', key, name, kind: 'school', parent: null };
    for (const { id, ...group } of school.groups) {
      const own = groupKey({ institution: key, groupId: id });
      yield { entity: 'group', key: own, institution: key, ...group, subject: null, terms: [] };
    }
  }
  for (const person of truth.people) {
    yield {
      entity: 'person',
      key: person.uniId,
      ids: [{ system: 'uni-id', value: person.uniId }],
      protected: person.protected,
      ...shownName(person),
      email: person.protected ? null : person.email,
      mayLogIn: true,
    };
    for (const place of person.places) yield* placeRecords(person, place);
  }
  const children = new Map(truth.people.map((person) => [person.uniId, person]));
  for (const relation of truth.relations) {
    const places = children.get(relation.child)?.places ?? [];
    for (const { school, roles } of places) {
      if (kindOfRole(roles[0]) !== 'pupil') continue;
      const key = `${school}/${relation.guardian}>${relation.child}`;
      yield { entity: 'relation', key, institution: school, ...relation };
    }
  }
}

function* placeRecords(person: Person, place: Place): Generator<RosterRecord> {
  const { school: institution, roles, grade, localId } = place;
  const kind = kindOfRole(roles[0]);
  const key = affiliationKey({ institution, person: person.uniId, kind });
  yield {
    entity: 'affiliation',
    key,
    person: person.uniId,
    institution,
    kind,
    roles: [...roles].sort(),
    grade,
    localId,
    from: null,
    to: null,
    primary: null,
  };
  for (const groupId of place.groups) {
    const group = groupKey({ institution, groupId });
    yield {
      entity: 'membership',
      key: membershipKey({ affiliation: key, group }),
      affiliation: key,
      person: person.uniId,
      institution,
      group,
      role: deriveMembershipRole({ kind, roles }),
      main: groupId === place.mainGroup,
      from: null,
      to: null,
    };
  }
}
