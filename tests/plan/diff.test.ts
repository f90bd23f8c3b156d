import { describe, expect, it } from 'vitest';
import { decide, decideStart } from '../../provisioning/plan/diff.ts';
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

const days = { graceDays: 7, retentionDays: 60, opens: null, kept: null, now };
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

  const firstDay = new Date('2026-11-16T00:00:00Z');
  const hidden = { ...shutFor(3), scheduledAt: firstDay };

  it.each([
    ['none', null, inactive, false, 'create', 'update'],
    ['hidden as wanted', hidden, inactive, true, null, null],
    ['hidden, for another day', { ...hidden, scheduledAt: now }, inactive, true, null, 'update'],
    ['hidden, renamed', hidden, { ...inactive, family: 'Nygift' }, false, 'update', 'update'],
    ['shut in retention, hired again', shutFor(9), inactive, true, null, 'update'],
  ] as const)('of a hidden start: %s', (_name, row, wanted, same, first, second) => {
    const input = { row, wanted, same, ...days, opens: firstDay };
    expect(decide(input)?.action ?? null).toBe(first);
    const start = decideStart(input);
    expect(start?.action ?? null).toBe(second);
    if (start !== null) {
      expect(start).toMatchObject({ notBefore: firstDay, reason: 'starts' });
      expect(start.after).toMatchObject({ active: true });
    }
  });

  it.each([
    ['hidden, gone before the first day', hidden, null, 'deactivate', 'left'],
    ['hidden, may not sign in any more', hidden, inactive, 'update', 'shut'],
    ['hidden, the day has come', hidden, active, 'update', 'starts'],
  ] as const)('calls a start off or forward: %s', (_name, row, wanted, action, reason) => {
    const decision = decide({ row, wanted, same: wanted === inactive, ...days });
    expect(decision).toMatchObject({ action, reason, notBefore: null });
  });

  it.each([
    ['active', stands, 'keep', null],
    ['active', stands, 'legal-hold', 'deactivate'],
    ['shut, retention over', shutFor(90), 'keep', null],
    ['shut, retention over', shutFor(90), 'legal-hold', null],
    ['shut, retention over', shutFor(90), null, 'delete'],
  ] as const)('of what is not wanted: %s, under %s', (_name, row, kept, action) => {
    const decision = decide({ row, wanted: null, same: false, ...days, kept });
    expect(decision?.action ?? null).toBe(action);
  });

  it('waits for the grace period, and not at all where there is none', () => {
    const leave = { row: stands, wanted: null, same: false, ...days };
    expect(decide(leave)?.notBefore).toEqual(new Date('2026-11-09T05:00:00Z'));
    expect(decide({ ...leave, graceDays: 0 })?.notBefore).toBeNull();
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
