import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type {
  AffiliationSlice,
  GroupSlice,
  InstitutionSlice,
  PersonSlice,
} from '../../provisioning/policy/resource.ts';
import type { Policy } from '../../provisioning/policy/schema.ts';

export const north: InstitutionSlice = { key: '280001', name: 'Nørreskolen', kind: 'school' };
export const south: InstitutionSlice = { key: '280002', name: 'Sønderskolen', kind: 'school' };
export const nursery: InstitutionSlice = { key: '280003', name: 'Solstrålen', kind: 'daycare' };
export const institutions = new Map([north, south, nursery].map((one) => [one.key, one]));

/** A policy with some settings of its own; JSON is YAML too. */
export function policyOf(settings: Record<string, unknown> = {}): Policy {
  return parsePolicy({ text: JSON.stringify({ version: 1, ...settings }), file: 'test' });
}

export function affiliation(p: Partial<AffiliationSlice> = {}): AffiliationSlice {
  return {
    institution: north.key,
    kind: 'pupil',
    roles: ['pupil'],
    grade: '7',
    primary: false,
    ...p,
  };
}

export const teacher = affiliation({ kind: 'staff', roles: ['teacher'], grade: null });
export const substitute = affiliation({ kind: 'staff', roles: ['substitute'], grade: null });
export const leader = affiliation({ kind: 'staff', roles: ['leader'], grade: null });
export const external = affiliation({ kind: 'external', roles: ['external'], grade: null });
export const guardian = affiliation({ kind: 'guardian', roles: ['guardian'], grade: null });
export const child = affiliation({ roles: ['child'], grade: 'DT', institution: nursery.key });

export function person(p: Partial<PersonSlice> = {}): PersonSlice {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    username: '1000013b36',
    uniId: '1000013b36',
    protected: false,
    given: 'Amalie',
    family: 'Hansen',
    email: null,
    mayLogIn: true,
    affiliations: [affiliation()],
    groups: [
      { key: '280001/7a', institution: north.key, kind: 'class', role: 'learner', main: true },
    ],
    ...p,
  };
}

export function group(p: Partial<GroupSlice> = {}): GroupSlice {
  return {
    key: '280001/7a',
    institution: north,
    kind: 'class',
    name: '7.A',
    grade: '7',
    line: 'A',
    subject: null,
    from: null,
    to: null,
    members: [],
    ...p,
  };
}
