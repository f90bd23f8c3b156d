/** A small fictive roster, written record by record, for tests of what comes behind the readers. */

import type {
  AffiliationKind,
  AffiliationRole,
  Completeness,
  Entity,
  FeedItem,
  GroupKind,
} from '../../provisioning/feed/record.ts';
import { affiliationKey, groupKey, membershipKey } from '../../provisioning/feed/record.ts';

export interface SmallPerson {
  readonly uniId: string;
  readonly given?: string | null;
  readonly family?: string | null;
  readonly protected?: boolean;
  readonly email?: string;
  readonly institution: string;
  readonly kind?: AffiliationKind;
  readonly roles?: readonly AffiliationRole[];
  readonly groups?: readonly string[];
}

export interface SmallRoster {
  readonly institutions: readonly string[];
  readonly groups: readonly {
    readonly institution: string;
    readonly id: string;
    readonly kind?: GroupKind;
    readonly name?: string;
  }[];
  readonly people: readonly SmallPerson[];
  readonly coverage?: Completeness;
}

/** Two schools, a class each with a teacher, and as many pupils as asked for. */
export function smallRoster(p: { readonly pupils: number }): SmallRoster {
  const institutions = ['101001', '101002'];
  const people: SmallPerson[] = [];
  for (const institution of institutions) {
    people.push({
      uniId: `lear${institution.slice(-1)}001`,
      institution,
      kind: 'staff',
      roles: ['teacher'],
      groups: ['7A'],
    });
    people.push({
      uniId: `lede${institution.slice(-1)}001`,
      institution,
      kind: 'staff',
      roles: ['leader'],
    });
    for (let n = 1; n <= p.pupils; n += 1) {
      people.push({
        uniId: `elev${institution.slice(-1)}${String(n).padStart(3, '0')}`,
        institution,
        groups: ['7A'],
      });
    }
  }
  return {
    institutions,
    groups: institutions.map((institution) => ({ institution, id: '7A', name: '7.A' })),
    people,
  };
}

export async function* feedItems(
  roster: SmallRoster,
  extra: readonly FeedItem[] = [],
): AsyncGenerator<FeedItem> {
  yield { type: 'snapshot', format: 'test', takenAt: null, schoolYear: '2026-2027' };
  for (const key of roster.institutions) {
    yield {
      type: 'record',
      record: { entity: 'institution', key, name: `Skole ${key}`, kind: 'school', parent: null },
    };
  }
  for (const group of roster.groups) yield { type: 'record', record: groupRecord(group) };
  for (const person of roster.people) yield* personItems(person);
  yield* extra;
  const full = roster.coverage ?? 'full';
  for (const institution of roster.institutions) {
    yield {
      type: 'coverage',
      institution,
      affiliation: full,
      group: full,
      membership: full,
      relation: full,
    };
  }
}

function groupRecord(group: SmallRoster['groups'][number]) {
  return {
    entity: 'group' as const,
    key: groupKey({ institution: group.institution, groupId: group.id }),
    institution: group.institution,
    kind: group.kind ?? ('class' as const),
    name: group.name ?? group.id,
    grade: '7',
    line: 'A',
    subject: null,
    terms: [],
    from: null,
    to: null,
  };
}

function* personItems(person: SmallPerson): Generator<FeedItem> {
  const kind = person.kind ?? 'pupil';
  const { institution } = person;
  yield {
    type: 'record',
    record: {
      entity: 'person',
      key: person.uniId,
      ids: [{ system: 'uni-id', value: person.uniId }],
      protected: person.protected ?? false,
      given: person.given === undefined ? `Fornavn${person.uniId}` : person.given,
      family: person.family === undefined ? 'Prøvesen' : person.family,
      email: person.email ?? null,
      mayLogIn: true,
    },
  };
  const affiliation = affiliationKey({ institution, person: person.uniId, kind });
  yield {
    type: 'record',
    record: {
      entity: 'affiliation',
      key: affiliation,
      person: person.uniId,
      institution,
      kind,
      roles: person.roles ?? ['pupil'],
      grade: kind === 'pupil' ? '7' : null,
      localId: null,
      from: null,
      to: null,
      primary: null,
    },
  };
  for (const id of person.groups ?? []) {
    const group = groupKey({ institution, groupId: id });
    yield {
      type: 'record',
      record: {
        entity: 'membership',
        key: membershipKey({ affiliation, group }),
        affiliation,
        person: person.uniId,
        institution,
        group,
        role: kind === 'pupil' ? 'learner' : 'teacher',
        main: kind === 'pupil',
        from: null,
        to: null,
      },
    };
  }
}

/** A row of the feed that could not be read. */
export function rejectedItem(p: {
  readonly entity: Entity;
  readonly key?: string | null;
  readonly institution?: string | null;
  readonly person?: string | null;
  readonly group?: string | null;
}): FeedItem {
  return {
    type: 'rejected',
    entity: p.entity,
    key: p.key ?? null,
    institution: p.institution ?? null,
    person: p.person ?? null,
    group: p.group ?? null,
    diagnostic: {
      code: 'unreadable',
      severity: 'error',
      file: 'test',
      line: 1,
      field: null,
      message: 'Made unreadable by the test.',
    },
  };
}
