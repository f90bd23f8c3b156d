import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { DesiredResource, TargetType } from '../../provisioning/policy/resource.ts';
import { checkRoutes, routeResource } from '../../provisioning/policy/route.ts';

function policyWith(routes: string) {
  return parsePolicy({ text: `version: 1\nroutes:\n${routes}`, file: 'policy.yaml' });
}

const policy = policyWith(`
  - { target: moodle-nord, type: moodle, institutions: ["101001"] }
  - { target: moodle-syd, type: moodle, institutions: ["101002"] }
  - { target: moodle-shared, type: moodle, only: [account] }
`);
const targets = new Map<string, TargetType>([
  ['keycloak', 'keycloak'],
  ['moodle-nord', 'moodle'],
  ['moodle-syd', 'moodle'],
  ['moodle-shared', 'moodle'],
]);
const institutions = new Map(
  ['101001', '101002', '101003'].map((key) => [key, { key, name: key, kind: 'school' }]),
);

function resource(p: Partial<DesiredResource>): DesiredResource {
  return {
    target: 'moodle',
    kind: 'account',
    key: 'person:1',
    institution: '101001',
    title: 'En elev',
    person: null,
    needs: [],
    body: { name: 'x', parent: null, active: true },
    ...p,
  };
}

const route = (p: Partial<DesiredResource>) =>
  routeResource({ policy, targets, institutions, resource: resource(p) });

describe('routes', () => {
  it('sends an account to its school and to the shared server', () => {
    expect(route({})).toEqual(['moodle-nord', 'moodle-shared']);
  });

  it('sends somebody at two schools to both', () => {
    expect(route({ serves: ['101001', '101002'] })).toEqual([
      'moodle-nord',
      'moodle-shared',
      'moodle-syd',
    ]);
  });

  it('keeps courses out of a server that holds accounts only', () => {
    expect(route({ kind: 'course' })).toEqual(['moodle-nord']);
  });

  it('leaves out what no route takes', () => {
    expect(route({ kind: 'course', institution: '101003' })).toEqual([]);
  });

  it('does not touch types that no route speaks of', () => {
    expect(route({ target: 'keycloak' })).toEqual(['keycloak']);
  });

  it('can go by the kind of institution', () => {
    const byKind = policyWith(
      '  - { target: moodle-nord, type: moodle, institutionKinds: [youth] }',
    );
    expect(
      routeResource({ policy: byKind, targets, institutions, resource: resource({}) }),
    ).toEqual([]);
  });
});

describe('checking the routes', () => {
  it.each([
    ['  - { target: moodle-vest, type: moodle }', 'no such target'],
    ['  - { target: keycloak, type: moodle }', 'is a keycloak'],
    ['  - { target: moodle-nord, type: moodle }', 'no route of the policy leads to moodle-syd'],
    ['  []', 'no route of the policy leads to moodle-nord'],
  ])('refuses %s', (routes, sentence) => {
    expect(() => checkRoutes({ policy: policyWith(routes), targets })).toThrow(sentence);
  });

  it('accepts routes that lead to all servers', () => {
    expect(() => checkRoutes({ policy, targets })).not.toThrow();
  });
});
