import { describe, expect, it } from 'vitest';
import { decide } from '../../provisioning/plan/diff.ts';
import { findHeld } from '../../provisioning/plan/limits.ts';
import { giveReason } from '../../provisioning/plan/reason.ts';
import type { KeycloakAccount, MoodleCourse } from '../../provisioning/policy/resource.ts';

const now = new Date('2026-11-02T05:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

const active: KeycloakAccount = {
  username: 'elev0001',
  given: 'Ida',
  family: 'Prøvesen',
  email: null,
  active: true,
  attributes: {},
  groups: ['group:101001/7A', 'school:101001'],
  links: [],
};
const inactive: KeycloakAccount = { ...active, active: false };
const renamed: KeycloakAccount = { ...active, family: 'Nygift' };

const days = { graceDays: 7, retentionDays: 60, now };
const stands = { desired: active, scheduledAt: null, inactiveSince: null };
const leaving = { ...stands, scheduledAt: new Date(now.getTime() + 1) };
const shutFor = (n: number) => ({
  desired: inactive,
  scheduledAt: null,
  inactiveSince: daysAgo(n),
});
const beingDeleted = { desired: null, scheduledAt: null, inactiveSince: null };

describe('what a ledger row and a wish make of each other', () => {
  it.each([
    ['none, wanted', null, active, false, 'create', 'new'],
    ['none, wanted but shut', null, inactive, false, null, null],
    ['none, not wanted', null, null, true, null, null],
    ['deletion under way, wanted', beingDeleted, active, false, 'create', 'new'],
    ['as wanted', stands, active, true, null, null],
    ['leaving, wanted again', leaving, active, true, 'update', 'stays'],
    ['other than wanted', stands, renamed, false, 'update', 'changed'],
    ['shut, wanted again', shutFor(1), active, false, 'update', 'returned'],
    ['active, wanted shut', stands, inactive, false, 'deactivate', 'shut'],
    ['active, not wanted', stands, null, false, 'deactivate', 'left'],
    ['leaving, not wanted', leaving, null, false, null, null],
    ['shut, not wanted, retention running', shutFor(59), null, false, null, null],
    ['shut, not wanted, retention over', shutFor(60), null, false, 'delete', 'retention-over'],
  ] as const)('%s', (_name, row, wanted, same, action, reason) => {
    const decision = decide({ row, wanted, same, ...days });
    expect(decision?.action ?? null).toBe(action);
    expect(decision?.reason ?? null).toBe(reason);
  });

  it('waits for the grace period, and not at all where there is none', () => {
    const leave = { row: stands, wanted: null, same: false, ...days };
    expect(decide(leave)?.notBefore).toEqual(new Date('2026-11-09T05:00:00Z'));
    expect(decide({ ...leave, graceDays: 0 })?.notBefore).toBeNull();
  });
});

describe('the limit on losses', () => {
  const loss = {
    institution: '101001',
    target: 'keycloak',
    kind: 'account',
    action: 'deactivate',
  } as const;
  const find = (counts: Parameters<typeof findHeld>[0]['counts'], allowed: string[] = []) =>
    findHeld({ counts, limitOf: () => ({ percent: 10, count: 20 }), allowed: new Set(allowed) });

  it.each([
    [21, 209, true],
    [21, 210, false],
    [20, 20, false],
    [21, 21, true],
    [500, 6000, false],
  ])('%d of %d', (count, of, holds) => {
    expect(find([{ ...loss, count, of }])).toHaveLength(holds ? 1 : 0);
  });

  it('holds every loss of an institution once one of them is too large, and nothing elsewhere', () => {
    const held = find([
      { ...loss, count: 100, of: 400 },
      { ...loss, target: 'moodle', kind: 'course', count: 1, of: 40 },
      { ...loss, action: 'create', count: 300, of: 400 },
      { ...loss, institution: '101002', count: 5, of: 400 },
    ]);
    expect(held.map((h) => [h.institution, h.target])).toEqual([
      ['101001', 'keycloak'],
      ['101001', 'moodle'],
    ]);
  });

  it('holds nothing that a person has allowed', () => {
    expect(find([{ ...loss, count: 100, of: 100 }], ['101001'])).toEqual([]);
  });
});

describe('reasons', () => {
  const titles = new Map([
    ['keycloak/group:101001/7A', '7.A'],
    ['keycloak/group:101001/7B', '7.B'],
  ]);
  const reasonOf = (after: KeycloakAccount) =>
    giveReason({
      decision: { action: 'update', after, notBefore: null, reason: 'changed' },
      before: active,
      titles,
      target: 'keycloak',
    });

  it('names classes by what people call them', () => {
    expect(reasonOf({ ...active, groups: ['group:101001/7B', 'school:101001'] })).toEqual({
      code: 'moved',
      fields: [{ field: 'groups', added: ['7.B'], removed: ['7.A'] }],
    });
  });

  it('shows old and new name', () => {
    expect(reasonOf(renamed)).toEqual({
      code: 'renamed',
      fields: [{ field: 'family', from: 'Prøvesen', to: 'Nygift' }],
    });
  });

  it('counts the people of a course instead of naming their keys', () => {
    const course: MoodleCourse = {
      fullname: 'Matematik 7.A',
      shortname: '101001-7A',
      category: 'school:101001',
      startDate: null,
      endDate: null,
      active: true,
      enrolments: { 'person:1': ['student'] },
    };
    const reason = giveReason({
      decision: {
        action: 'update',
        after: { ...course, enrolments: { 'person:1': ['student'], 'person:2': ['student'] } },
        notBefore: null,
        reason: 'changed',
      },
      before: course,
      titles,
      target: 'moodle',
    });
    expect(reason).toEqual({
      code: 'members',
      fields: [{ field: 'enrolments', from: '1 people', to: '2 people' }],
    });
  });
});
