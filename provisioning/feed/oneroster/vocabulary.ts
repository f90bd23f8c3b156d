import { kindOfRole } from '../membership-role.ts';
import type {
  AffiliationKind,
  AffiliationRole,
  InstitutionKind,
  MembershipRole,
} from '../record.ts';

/**
 * Roles, both ways. OneRoster has fewer words than WS17; what it cannot say stands in the column
 * `metadata.roleDetail` (1.2) or `metadata.affiliations` (1.1) of packages that Skolebus wrote.
 *
 *   neutral        1.1            1.2                 read from a foreign package
 *   child, pupil,  student        student             student -> pupil
 *   student
 *   teacher        teacher        teacher             teacher -> teacher
 *   pedagogue      aide           aide                aide -> pedagogue
 *   substitute     proctor        proctor             proctor -> substitute
 *   leader         administrator  principal           principal -> leader
 *   management     administrator  siteAdministrator   site-, districtAdministrator -> management
 *   support        administrator  systemAdministrator administrator, systemAdministrator -> support
 *   consultant     administrator  counselor           counselor -> consultant
 *   trainee        aide           aide
 *   external       aide           aide
 *   guardian       guardian       guardian            guardian, parent, relative -> guardian
 *
 * `administrator` of 1.1 is anybody in the office, so it is read as the role with the fewest rights.
 */
const toOneRoster: Readonly<Record<AffiliationRole, readonly [v11: string, v12: string]>> = {
  child: ['student', 'student'],
  pupil: ['student', 'student'],
  student: ['student', 'student'],
  teacher: ['teacher', 'teacher'],
  pedagogue: ['aide', 'aide'],
  substitute: ['proctor', 'proctor'],
  leader: ['administrator', 'principal'],
  management: ['administrator', 'siteAdministrator'],
  support: ['administrator', 'systemAdministrator'],
  consultant: ['administrator', 'counselor'],
  trainee: ['aide', 'aide'],
  external: ['aide', 'aide'],
  guardian: ['guardian', 'guardian'],
};

const fromOneRoster: ReadonlyMap<string, AffiliationRole> = new Map([
  ['student', 'pupil'],
  ['teacher', 'teacher'],
  ['aide', 'pedagogue'],
  ['proctor', 'substitute'],
  ['principal', 'leader'],
  ['siteadministrator', 'management'],
  ['districtadministrator', 'management'],
  ['administrator', 'support'],
  ['systemadministrator', 'support'],
  ['counselor', 'consultant'],
  ['guardian', 'guardian'],
  ['parent', 'guardian'],
  ['relative', 'guardian'],
]);

/** Far outside the list, but seen (School Data Sync) and clear. */
const alsoSeen: ReadonlyMap<string, AffiliationRole> = new Map([
  ['pupil', 'pupil'],
  ['learner', 'pupil'],
  ['professor', 'teacher'],
  ['lecturer', 'teacher'],
  ['faculty', 'teacher'],
  ['instructor', 'teacher'],
  ['staff', 'support'],
]);

const neutralRoles: ReadonlySet<string> = new Set(Object.keys(toOneRoster));

export function writeRole(role: AffiliationRole, version: '1.1' | '1.2'): string {
  return toOneRoster[role][version === '1.1' ? 0 : 1];
}

export interface RoleReading {
  readonly role: AffiliationRole;
  readonly kind: AffiliationKind;
  /** `listed`, `seen` outside the list, or `unknown`: then external, which carries no rights. */
  readonly origin: 'listed' | 'seen' | 'unknown';
}

export function readRole(raw: string): RoleReading {
  const text = raw.toLowerCase().replace(/^ext:/, '');
  const listed = fromOneRoster.get(text);
  const role = listed ?? alsoSeen.get(text) ?? 'external';
  const origin = listed !== undefined ? 'listed' : alsoSeen.has(text) ? 'seen' : 'unknown';
  return { role, kind: kindOfRole(role), origin };
}

/** A neutral role as Skolebus's own columns spell it; null for anything else. */
export function readNeutralRole(raw: string | null): AffiliationRole | null {
  return raw !== null && neutralRoles.has(raw) ? (raw as AffiliationRole) : null;
}

/** Enrolment roles, both ways: proctor assists, administrator is only a member. */
const enrolmentRoles: readonly (readonly [MembershipRole, v11: string, v12: string])[] = [
  ['learner', 'student', 'student'],
  ['teacher', 'teacher', 'teacher'],
  ['lead', 'teacher', 'teacher'],
  ['assistant', 'aide', 'proctor'],
  ['member', 'administrator', 'administrator'],
];

export function writeEnrolmentRole(role: MembershipRole, version: '1.1' | '1.2'): string {
  const row = enrolmentRoles.find(([neutral]) => neutral === role);
  return row?.[version === '1.1' ? 1 : 2] ?? 'administrator';
}

/** Null where the role means nothing here. */
export function readEnrolmentRole(raw: string | null): MembershipRole | null {
  if (raw === null) return null;
  const text = raw.toLowerCase();
  if (text === 'aide' || text === 'proctor') return 'assistant';
  const { role, kind, origin } = readRole(text);
  if (origin === 'unknown') return null;
  if (kind === 'pupil') return 'learner';
  return role === 'teacher' ? 'teacher' : 'member';
}

const orgTypes: ReadonlyMap<string, InstitutionKind> = new Map([
  ['school', 'school'],
  ['district', 'authority'],
  ['local', 'authority'],
  ['state', 'authority'],
  ['national', 'authority'],
  ['ministryofeducation', 'authority'],
  ['department', 'other'],
  ['college', 'other'],
  ['university', 'other'],
]);

export function readOrgType(raw: string | null): InstitutionKind | null {
  return orgTypes.get((raw ?? '').toLowerCase()) ?? null;
}
