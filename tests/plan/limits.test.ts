import { describe, expect, it } from 'vitest';
import type { Effect } from '../../provisioning/plan/limits.ts';
import { findHeld, judge, limitFor } from '../../provisioning/plan/limits.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';

const loss: Effect = {
  institution: '101001',
  target: 'keycloak',
  kind: 'account',
  action: 'deactivate',
  limit: 'deactivate',
  detail: null,
  count: 0,
  of: 0,
};
const policyOf = (text: string) => parsePolicy({ text: `version: 1\n${text}`, file: 'policy' });

const weigh = (effects: readonly Effect[], allowed: (effect: Effect) => boolean = () => false) =>
  judge({ effects, limitOf: () => ({ percent: 10, count: 20 }), isAllowed: allowed });
const hold = (effects: readonly Effect[], allowed: (effect: Effect) => boolean = () => false) =>
  findHeld({ rows: weigh(effects, allowed), isAllowed: allowed });

describe('an effect beside its limit', () => {
  it.each([
    [21, 209, 'exceeded'],
    [21, 210, 'near'],
    [20, 20, 'near'],
    [21, 21, 'exceeded'],
    [500, 6000, 'near'],
    [15, 210, 'near'],
    [14, 14, 'ok'],
    [15, 216, 'ok'],
    [21, 0, 'exceeded'],
  ])('%d of %d', (count, of, state) => {
    expect(weigh([{ ...loss, count, of }])).toMatchObject([{ state }]);
  });
});

describe('what is held', () => {
  it('is everything shut in an institution once one of it is too much, and nothing elsewhere', () => {
    const held = hold([
      { ...loss, count: 100, of: 400 },
      { ...loss, target: 'moodle', kind: 'course', limit: 'groups', count: 1, of: 40 },
      { ...loss, action: 'create', limit: 'growth', count: 2, of: 400 },
      { ...loss, limit: 'names', action: 'update', count: 2, of: 400 },
      { ...loss, institution: '101002', count: 5, of: 400 },
    ]);
    expect(held.map((h) => [h.institution, h.target, h.kind, h.code])).toEqual([
      ['101001', 'keycloak', 'account', 'limit-deactivate'],
      ['101001', 'moodle', 'course', 'limit-deactivate'],
    ]);
  });

  it('are new resources of the kind that grows, and no others', () => {
    const growth = { ...loss, action: 'create', limit: 'growth' } as const;
    const held = hold([
      { ...growth, count: 300, of: 400 },
      { ...growth, target: 'moodle', count: 3, of: 400 },
      { ...growth, kind: 'group', count: 3, of: 30 },
    ]);
    expect(held.map((h) => [h.target, h.kind])).toEqual([
      ['keycloak', 'account'],
      ['moodle', 'account'],
    ]);
  });

  it('is nothing that a person has allowed, not even by what was not', () => {
    const effects: Effect[] = [
      { ...loss, count: 100, of: 100 },
      { ...loss, kind: 'group', limit: 'groups', count: 30, of: 30 },
    ];
    expect(hold(effects, () => true)).toEqual([]);
    expect(weigh(effects, () => true).map(({ state }) => state)).toEqual(['allowed', 'allowed']);
    const some = hold(effects, ({ limit }) => limit === 'deactivate');
    expect(some.map(({ kind }) => kind)).toEqual(['group']);
  });
});

describe('the figures', () => {
  const policy = policyOf(`limits:
  memberships: { percent: 30 }
  institutions:
    "101001": { percent: 40, growth: { percent: 300 } }
`);
  const figures = (
    limit: Effect['limit'],
    p: { institution?: string; of?: number; occasion?: 'rollover' } = {},
  ) => {
    const { institution = '101001', of = 100, occasion = 'ordinary' } = p;
    const found = limitFor({ policy, occasion, effect: { institution, limit, of } });
    return [found.percent, found.count];
  };

  it('are policy’s, an institution’s own, those of a first load or of a rollover', () => {
    expect(figures('memberships')).toEqual([30, 50]);
    expect(figures('deactivate')).toEqual([40, 20]);
    expect(figures('deactivate', { institution: '101002' })).toEqual([10, 20]);
    expect(figures('growth')).toEqual([300, 100]);
    expect(figures('growth', { of: 0 })).toEqual([100, 5000]);
    expect(figures('deactivate', { occasion: 'rollover' })).toEqual([25, 50]);
    expect(figures('institutionMissing')).toEqual([0, 0]);
  });
});
