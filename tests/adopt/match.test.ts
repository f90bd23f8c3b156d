import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Match, Wish } from '../../provisioning/plan/adopt-match.ts';
import { matchWishes } from '../../provisioning/plan/adopt-match.ts';
import type { Seen } from '../../provisioning/plan/seen.ts';
import type { Body, KeycloakAccount } from '../../provisioning/policy/resource.ts';

function wish(p: Partial<KeycloakAccount> & Partial<Pick<Wish, 'uniIds' | 'standing'>>): Wish {
  const { uniIds = ['abcd1234'], standing = [], ...body } = p;
  return {
    kind: 'account',
    key: 'person:1',
    uniIds,
    standing,
    name: null,
    body: {
      username: 'abcd1234',
      given: 'Alma',
      family: 'Prøvesen',
      email: null,
      active: true,
      attributes: {},
      groups: [],
      links: [],
      ...body,
    },
  };
}

function seen(externalId: string, body: Readonly<Record<string, unknown>>, key?: string): Seen {
  return { kind: 'account', externalId, key: key ?? null, body };
}

function match(p: {
  readonly wishes: readonly Wish[];
  readonly seen: readonly Seen[];
  readonly linked?: readonly string[];
  readonly taken?: readonly string[];
}): readonly Match[] {
  return matchWishes({
    wishes: p.wishes,
    seen: p.seen,
    linked: new Set(p.linked),
    isTaken: ({ username }) => p.taken?.includes(username) === true,
  });
}

function verdict(matches: readonly Match[]): readonly string[] {
  return matches.map((one) =>
    one.state === 'link' ? `link ${one.seen.externalId} by ${one.by}` : `doubt ${one.doubt}`,
  );
}

describe('an account', () => {
  const email = 'alma@skole.example';

  it.each<[string, Wish, readonly Seen[], readonly string[]]>([
    ['is nothing like', wish({}), [seen('a', { username: 'xxxx0000' })], []],
    ['has the name', wish({}), [seen('a', { username: 'Abcd1234' })], ['link a by username']],
    [
      'has only names of people alike',
      wish({}),
      [seen('a', { username: 'x', given: 'Alma', family: 'Prøvesen' })],
      [],
    ],
    [
      'has only the e-mail',
      wish({ email }),
      [seen('a', { username: 'x', email })],
      ['doubt email-only'],
    ],
    [
      'has only the UNI-ID',
      wish({}),
      [seen('a', { username: 'alma', attributes: { uniId: ['abcd1234'] } })],
      ['doubt uni-id-only'],
    ],
    [
      'has e-mail and UNI-ID',
      wish({ email }),
      [seen('a', { username: 'alma', email, attributes: { uniId: ['ABCD1234'] } })],
      ['link a by email'],
    ],
    [
      'has e-mail and, in Moodle, the UNI-ID as ID number',
      wish({ email }),
      [seen('a', { username: 'alma', email, idnumber: 'abcd1234' })],
      ['link a by email'],
    ],
    [
      'has the login',
      wish({ links: [{ provider: 'uni', userId: 'abcd1234' }] }),
      [seen('a', { username: 'alma', links: [{ provider: 'uni', userId: 'abcd1234' }] })],
      ['link a by login'],
    ],
    [
      'has the name and states another UNI-ID',
      wish({}),
      [seen('a', { username: 'abcd1234', attributes: { uniId: ['zzzz9999'] } })],
      ['doubt other-person'],
    ],
    [
      'has a name that we made up',
      wish({ username: 'alma0001' }),
      [seen('a', { username: 'alma0001' })],
      ['doubt username-only'],
    ],
    [
      'has a name that we made up and the e-mail',
      wish({ username: 'alma0001', email }),
      [seen('a', { username: 'alma0001', email })],
      ['link a by username'],
    ],
    [
      'has a name that the person has elsewhere',
      wish({ username: 'alma0001', standing: ['alma0001'] }),
      [seen('a', { userId: 'alma0001' })],
      ['link a by username'],
    ],
    [
      'shares its evidence with another',
      wish({ email }),
      [
        seen('a', { username: 'abcd1234' }),
        seen('b', { username: 'alma', email, attributes: { uniId: ['abcd1234'] } }),
      ],
      ['doubt several'],
    ],
    [
      'carries our mark for it',
      wish({}),
      [seen('a', { username: 'other' }, 'person:1'), seen('b', { username: 'abcd1234' })],
      ['link a by mark'],
    ],
    [
      'carries our mark for somebody else',
      wish({}),
      [seen('a', { username: 'abcd1234' }, 'person:2')],
      ['doubt taken'],
    ],
    [
      'would change a name that is in use',
      wish({ email, standing: ['abcd1234'] }),
      [seen('a', { username: 'alma', email, attributes: { uniId: ['abcd1234'] } })],
      ['doubt other-username'],
    ],
    [
      'has a name that no other server takes',
      wish({ email }),
      [seen('a', { username: 'alma ø', email, attributes: { uniId: ['abcd1234'] } })],
      ['doubt unusable-username'],
    ],
  ])('that %s', (_, wanted, there, expected) => {
    expect(verdict(match({ wishes: [wanted], seen: there }))).toEqual(expected);
  });

  it('that is linked already, or whose name is somebody else’s, is in doubt', () => {
    const there = [seen('a', { username: 'alma', email, attributes: { uniId: ['abcd1234'] } })];
    const wishes = [wish({ email })];
    expect(verdict(match({ wishes, seen: there, linked: ['a'] }))).toEqual(['doubt taken']);
    expect(verdict(match({ wishes, seen: there, taken: ['alma'] }))).toEqual([
      'doubt unusable-username',
    ]);
  });
});

describe('groups and courses', () => {
  const named = (kind: Wish['kind'], name: string, key: string): Wish => ({
    kind,
    key,
    name,
    uniIds: [],
    standing: [],
    body: {} as Body,
  });

  it('are linked by the one name that the server keeps unique', () => {
    const wishes = [named('course', '101-7a', 'group:1'), named('course', '101-7b', 'group:2')];
    const there: Seen[] = [
      { kind: 'course', externalId: '4', key: null, body: { shortname: '101-7A' } },
      { kind: 'course', externalId: '5', key: 'group:9', body: { shortname: '101-7b' } },
    ];
    expect(verdict(match({ wishes, seen: there }))).toEqual(['link 4 by name', 'doubt taken']);
  });

  it('are in doubt where two have a name that need not be unique, and one of ours counts for none', () => {
    const wishes = [named('cohort', '7.A', 'group:1')];
    const one = { kind: 'cohort', key: null, body: { name: '7.A' } } as const;
    const two = [
      { ...one, externalId: '1' },
      { ...one, externalId: '2' },
    ];
    expect(verdict(match({ wishes, seen: two }))).toEqual(['doubt several']);
    expect(verdict(match({ wishes, seen: two, linked: ['1'] }))).toEqual(['link 2 by name']);
  });
});

describe('whatever stands there', () => {
  const name = fc.constantFrom('aaaa0001', 'bbbb0002', 'cccc0003', 'anders');
  const mail = fc.constantFrom('', 'a@skole.example', 'b@skole.example', 'x@elev.invalid');
  const someSeen = fc.array(
    fc.record({
      username: name,
      email: mail,
      uniId: fc.option(name, { nil: null }),
      mark: fc.option(fc.constantFrom('person:1', 'person:2', 'person:9'), { nil: null }),
    }),
    { maxLength: 6 },
  );
  const someWishes = fc.uniqueArray(
    fc.record({ username: name, email: mail, uniId: fc.option(name, { nil: null }) }),
    { maxLength: 4, selector: (one) => one.username },
  );

  it('is linked to one at most, never past another mark, and never by an e-mail alone', () => {
    fc.assert(
      fc.property(someSeen, someWishes, (there, wanted) => {
        const all = there.map(({ username, email, uniId, mark }, index) =>
          seen(
            String(index),
            { username, email, attributes: uniId === null ? {} : { uniId: [uniId] } },
            mark ?? undefined,
          ),
        );
        const wishes = wanted.map(({ username, email, uniId }, index) => ({
          ...wish({ username, email: email || null, uniIds: uniId === null ? [] : [uniId] }),
          key: `person:${index + 1}`,
        }));
        const links = match({ wishes, seen: all }).filter((one) => one.state === 'link');
        const ids = links.map((one) => one.seen.externalId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { wish: one, seen: linked } of links) {
          if (linked.key !== null) {
            expect(linked.key).toBe(one.key);
            continue;
          }
          const same = linked.body['username'] === (one.body as KeycloakAccount).username;
          const uniIds = (linked.body['attributes'] as { uniId?: string[] }).uniId ?? [];
          const known = [...uniIds, String(linked.body['username'])];
          expect(same || one.uniIds.some((uniId) => known.includes(uniId))).toBe(true);
          expect(
            uniIds.length === 0 || one.uniIds.length === 0 || one.uniIds.includes(uniIds[0] ?? ''),
          ).toBe(true);
        }
      }),
    );
  });
});
