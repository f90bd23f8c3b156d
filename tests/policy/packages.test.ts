import { describe, expect, it } from 'vitest';
import { getsMoodle, packagesFor, primaryAffiliation } from '../../provisioning/policy/packages.ts';
import type { AffiliationSlice } from '../../provisioning/policy/resource.ts';
import {
  affiliation,
  child,
  external,
  guardian,
  institutions,
  leader,
  policyOf,
  south,
  teacher,
} from './slices.ts';

function entitled(affiliations: readonly AffiliationSlice[], packages?: unknown) {
  const policy = policyOf(packages === undefined ? {} : { packages });
  return packagesFor({ policy, affiliations, institutions });
}

describe('the default packages', () => {
  const all = ['keycloak', 'moodle', 'nextcloud'];
  it.each([
    ['a pupil', [affiliation()], all, ['pupils']],
    ['a student', [affiliation({ roles: ['student'] })], all, ['pupils']],
    ['a child in day care', [child], [], []],
    ['a pupil who is in after-school care too', [affiliation(), child], all, ['pupils']],
    ['a teacher', [teacher], all, ['staff']],
    ['an external', [external], ['keycloak', 'moodle'], ['externals']],
    ['a guardian', [guardian], [], []],
    ['a teacher who is a guardian', [guardian, teacher], all, ['staff']],
    ['a pupil who works there', [teacher, affiliation()], all, ['pupils', 'staff']],
    ['nobody', [], [], []],
  ])('give %s', (_, affiliations, targets, rules) => {
    const entitlement = entitled(affiliations);

    expect(entitlement.targets).toEqual(targets);
    expect(entitlement.rules).toEqual(rules);
    expect(getsMoodle({ policy: policyOf(), affiliations, institutions })).toBe(
      targets.includes('moodle'),
    );
  });

  it('take the larger quota of two', () => {
    expect(entitled([affiliation(), teacher]).nextcloud).toEqual({
      quota: '20 GB',
      language: 'da',
    });
  });

  it('come out the same in whatever order affiliations come', () => {
    const all = [
      guardian,
      teacher,
      external,
      affiliation(),
      affiliation({ institution: south.key }),
    ];

    expect(entitled(all.toReversed())).toEqual(entitled(all));
  });

  it('keep back affiliations that no package fired for', () => {
    expect(entitled([guardian, teacher]).affiliations).toEqual([teacher]);
  });
});

describe('conditions', () => {
  const gives = { keycloak: true };
  it.each([
    [{ kinds: ['pupil'], grades: [7, 8] }, true],
    [{ kinds: ['pupil'], grades: ['8'] }, false],
    [{ institutions: ['280001'] }, true],
    [{ institutions: ['280002'] }, false],
    [{ institutionKinds: ['school'] }, true],
    [{ institutionKinds: ['daycare'] }, false],
    [{ groupKinds: ['afterschool', 'class'] }, true],
    [{ groupKinds: ['team'] }, false],
    [{}, true],
  ])('%j', (when, fires) => {
    const pupil = affiliation({ groupKinds: ['class'] });

    expect(entitled([pupil], [{ name: 'x', when, gives }]).rules).toEqual(fires ? ['x'] : []);
  });

  it('must be met by one affiliation, not by two together', () => {
    const when = { kinds: ['staff'], institutions: [south.key] };
    const elsewhere = affiliation({ institution: south.key });

    expect(entitled([teacher, elsewhere], [{ name: 'x', when, gives }]).rules).toEqual([]);
  });

  it('on group kinds say so when the slice does not hold them', () => {
    const when = { groupKinds: ['team'] };

    expect(() => entitled([affiliation()], [{ name: 'x', when, gives }])).toThrow(/groupKinds/);
  });
});

describe('adding up packages', () => {
  it.each([
    ['5 GB', '500 MB', '5 GB'],
    ['500 MB', '1 GB', '1 GB'],
    ['none', '9 TB', 'none'],
    ['default', '1 B', '1 B'],
    ['default', 'default', 'default'],
    ['1024 MB', '1 GB', '1024 MB'],
    ['1.5GB', '1 GB', '1.5 GB'],
  ])('of %s and %s gives %s', (a, b, expected) => {
    const packages = [a, b].map((quota, n) => ({
      name: `p${n}`,
      when: {},
      gives: { nextcloud: { quota } },
    }));

    expect(entitled([teacher], packages).nextcloud?.quota).toBe(expected);
  });

  it('takes Moodle settings and language from the first', () => {
    const packages = [
      { name: 'a', when: {}, gives: { moodle: { auth: 'oidc' }, nextcloud: {} } },
      { name: 'b', when: {}, gives: { moodle: { auth: 'manual' }, nextcloud: { language: 'en' } } },
    ];

    const { moodle, nextcloud } = entitled([teacher], packages);

    expect(moodle?.auth).toBe('oidc');
    expect(nextcloud?.language).toBe('da');
  });
});

describe('the primary affiliation', () => {
  const pupilSouth = affiliation({ institution: south.key });
  it.each([
    [
      'the marked one',
      [affiliation(), { ...external, primary: true }],
      { ...external, primary: true },
    ],
    ['pupil before staff', [teacher, pupilSouth], pupilSouth],
    ['staff before external', [external, leader], leader],
    ['the lowest number', [pupilSouth, affiliation()], affiliation()],
  ])('is %s', (_, affiliations, expected) => {
    const policy = policyOf({});
    const of = (list: readonly AffiliationSlice[]) =>
      primaryAffiliation({ policy, affiliations: list, institutions });
    expect(of(affiliations)).toEqual(expected);
    expect(of(affiliations.toReversed())).toEqual(expected);
  });
});
