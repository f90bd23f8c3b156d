/** A small fictive roster, written record by record, for tests of what comes behind the readers. */

import type {
  AffiliationKind,
  AffiliationRole,
  Completeness,
  Entity,
  FeedItem,
  GroupKind,
  InstitutionKind,
} from '../../provisioning/feed/record.ts';
import {
  affiliationKey,
  groupKey,
  localSystem,
  membershipKey,
} from '../../provisioning/feed/record.ts';

export interface SmallPerson {
  readonly uniId: string;
  /** The source's own id, where it is not the UNI-ID. */
  readonly key?: string;
  /** The record has no UNI-ID; `uniId` then only names it. */
  readonly withoutUniId?: boolean;
  readonly localId?: string;
  /** What stands for the hash of a civil number, or of a replacement number. */
  readonly civil?: string;
  readonly replacement?: string;
  /** Keys of those whom this person is the guardian of. */
  readonly children?: readonly string[];
  readonly given?: string | null;
  readonly family?: string | null;
  readonly protected?: boolean;
  readonly email?: string;
  readonly institution: string;
  readonly kind?: AffiliationKind;
  readonly roles?: readonly AffiliationRole[];
  readonly groups?: readonly string[];
  /** First and last day, and whether the feed calls this affiliation the primary one. */
  readonly from?: string;
  readonly to?: string;
  readonly primary?: boolean;
  readonly mayLogIn?: boolean;
}

export interface SmallRoster {
  readonly institutions: readonly string[];
  readonly groups: readonly {
    readonly institution: string;
    readonly id: string;
    readonly kind?: GroupKind;
    readonly name?: string;
    readonly grade?: string;
    readonly from?: string;
    /** Keys of `terms`, as OneRoster has them in the place of dates. */
    readonly terms?: readonly string[];
  }[];
  readonly terms?: readonly { readonly key: string; readonly from: string; readonly to: string }[];
  readonly institutionKinds?: Readonly<Record<string, InstitutionKind>>;
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
    const kind = roster.institutionKinds?.[key] ?? 'school';
    yield {
      type: 'record',
      record: { entity: 'institution', key, name: `Skole ${key}`, kind, parent: null },
    };
  }
  for (const term of roster.terms ?? []) {
    const kind = 'schoolYear';
    yield {
      type: 'record',
      record: { entity: 'term', ...term, name: term.key, kind, parent: null },
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
    grade: group.grade ?? '7',
    line: 'A',
    subject: null,
    terms: group.terms ?? [],
    from: group.from ?? null,
    to: null,
  };
}

function* personItems(person: SmallPerson): Generator<FeedItem> {
  const kind = person.kind ?? 'pupil';
  const { institution, localId } = person;
  const key = person.key ?? person.uniId;
  yield {
    type: 'record',
    record: {
      entity: 'person',
      key,
      ids: person.withoutUniId === true ? [] : [{ system: 'uni-id', value: person.uniId }],
      protected: person.protected ?? false,
      given: person.given === undefined ? `Fornavn${person.uniId}` : person.given,
      family: person.family === undefined ? 'Prøvesen' : person.family,
      email: person.email ?? null,
      mayLogIn: person.mayLogIn ?? true,
    },
  };
  yield* evidenceItems({ person, key, kind });
  const affiliation = affiliationKey({ institution, person: key, kind });
  yield {
    type: 'record',
    record: {
      entity: 'affiliation',
      key: affiliation,
      person: key,
      institution,
      kind,
      roles: person.roles ?? ['pupil'],
      grade: kind === 'pupil' ? '7' : null,
      localId: localId ?? null,
      from: person.from ?? null,
      to: person.to ?? null,
      primary: person.primary ?? null,
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
        person: key,
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

function* evidenceItems(p: {
  readonly person: SmallPerson;
  readonly key: string;
  readonly kind: AffiliationKind;
}): Generator<FeedItem> {
  const { institution, localId, civil, replacement } = p.person;
  const said = {
    [localSystem(institution)]: localId,
    'civil:test': civil,
    'replacement:test': replacement,
  };
  for (const [system, value] of Object.entries(said)) {
    if (value === undefined) continue;
    yield { type: 'evidence', person: p.key, as: p.kind, system, value };
  }
  for (const child of p.person.children ?? []) {
    yield {
      type: 'record',
      record: {
        entity: 'relation',
        key: `${institution}/${p.key}>${child}`,
        guardian: p.key,
        child,
        institution,
        kind: 'father',
        custody: true,
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
