import { describe, expect, it } from 'vitest';
import type { SmallPerson } from '../support/roster.ts';
import { other, pupil, school, ten, usePeopleLine } from './people-line.ts';

const { line, day, people, present, usernames } = usePeopleLine();

describe('one who is the same person', () => {
  it('with a changed civil number (CPR change) is linked by UNI-ID and local id', async () => {
    await day(ten);
    const before = await people();
    const { planned, held } = await day([...ten.slice(1), pupil(0, { civil: 'c0-new' })]);
    expect({ planned, held }).toEqual({ planned: 0, held: [] });
    // The new number is known now: with it and the local id alone the person is found.
    await day([...ten.slice(1), pupil(0, { civil: 'c0-new', uniId: 'nyid1234' })]);
    expect((await people())['nyid1234']).toBe(before['elev1000']);
  });

  it('whose replacement number became the real one is linked by the UNI-ID alone', async () => {
    const { civil: _, localId: __, ...newcomer } = pupil(0);
    await day([...ten.slice(1), { ...newcomer, replacement: 'r0' }]);
    const before = await people();
    const { planned, held } = await day([...ten.slice(1), { ...newcomer, civil: 'c0' }]);
    expect({ planned, held }).toEqual({ planned: 0, held: [] });
    expect(await people()).toEqual(before);
  });

  it('keeps the account when a school changes all local ids (new administration system)', async () => {
    await day(ten);
    const before = await people();
    const accounts = await usernames();
    // The new system's numbers are the old one's, dealt out anew: each was somebody else's before.
    const renumbered = ten.map((one, n) => ({ ...one, localId: `L${(n + 3) % 10}` }));
    const { planned, held } = await day(renumbered);
    expect({ planned, held }).toEqual({ planned: 0, held: [] });
    expect(await people()).toEqual(before);
    expect(await usernames()).toEqual(accounts);
  });

  it('keeps the account when all local ids change and no civil number is known', async () => {
    const plain = ten.map(({ civil: _, ...one }) => one);
    await day(plain);
    const before = await people();
    const { planned, held } = await day(
      plain.map((one, n) => ({ ...one, localId: `L${(n + 1) % 10}` })),
    );
    expect({ planned, held }).toEqual({ planned: 0, held: [] });
    expect(await people()).toEqual(before);
  });

  it('is linked by civil number and local id when all UNI-IDs change', async () => {
    await day(ten);
    const before = await people();
    const accounts = await usernames();
    const { held } = await day(ten.map((one, n) => ({ ...one, uniId: `nyid${1000 + n}` })));
    const after = await people();
    expect(held).toEqual([]);
    for (let n = 0; n < 10; n += 1) {
      expect(after[`nyid${1000 + n}`]).toBe(before[`elev${1000 + n}`]);
    }
    expect(await usernames()).toEqual(accounts);
  });

  it('moves to another school with overlap, and is in both for a while', async () => {
    await day(ten);
    const before = await people();
    const there = pupil(0, { institution: other, localId: 'X77' });
    const both = await day([...ten, there]);
    expect(both.held).toEqual([]);
    expect(await people()).toEqual(before);
    expect(await present('membership')).toEqual(
      expect.arrayContaining([
        `${school}/elev1000/pupil>${school}/7A`,
        `${other}/elev1000/pupil>${other}/7A`,
      ]),
    );
    const moved = await day([...ten.slice(1), there]);
    expect(moved.held).toEqual([]);
    expect(await people()).toEqual(before);
  });

  it('is pupil and employee at once, in two records of one source', async () => {
    const employee: SmallPerson = {
      ...pupil(0, { key: 'emp-1', localId: 'M9', kind: 'staff', roles: ['substitute'] }),
      groups: [],
    };
    const { held } = await day([...ten, employee]);
    const { elev1000, 'emp-1': asEmployee } = await people();
    expect(held).toEqual([]);
    expect(asEmployee).toBe(elev1000);
  });

  it('is found by the civil number alone where nothing differs, and not by a local id alone', async () => {
    const nameless = {
      withoutUniId: true,
      groups: [],
      kind: 'staff',
      roles: ['substitute'],
    } as const;
    const { localId: _, ...byCivil } = pupil(0, { ...nameless, key: 'emp-1', institution: other });
    const { civil: __, ...byLocal } = pupil(1, { ...nameless, key: 'emp-2' });
    await day(ten);
    const { held } = await day([...ten, byCivil, byLocal]);
    const after = await people();
    expect(after['emp-1']).toBe(after['elev1000']);
    // Two records claim the local id in one snapshot: it says nothing, and the second is a new person.
    expect(held).toEqual([]);
    expect(Object.keys(after)).toHaveLength(12);
    expect(new Set(Object.values(after)).size).toBe(11);
  });

  it('is pupil and employee at once under one id, with a local id in each capacity', async () => {
    const employee = pupil(0, { localId: 'M9', kind: 'staff', roles: ['substitute'], groups: [] });
    expect((await day([...ten, employee])).held).toEqual([]);
    expect(Object.keys(await people())).toHaveLength(10);
  });
});

describe('one who is somebody else', () => {
  it('twins with nearly equal data are two people, for ever', async () => {
    const name = { given: 'Aya', family: 'Prøvesen', email: 'aya@skole.example' };
    const twins = [
      pupil(1, { ...name, uniId: 'ayap0001', localId: 'T-1', civil: 'c-twin-1' }),
      pupil(2, { ...name, uniId: 'ayap0002', localId: 'T-2', civil: 'c-twin-2' }),
    ];
    await day(twins);
    const first = await people();
    expect(first['ayap0001']).not.toBe(first['ayap0002']);
    // One of them is missing for a day, and comes back.
    await day([twins[0] as SmallPerson]);
    await day(twins);
    expect(await people()).toEqual(first);
  });

  it('a UNI-ID that was given to another person is held, and the first one keeps the last good state', async () => {
    await day(ten);
    const before = await people();
    const reissued = pupil(0, { localId: 'L99', civil: 'c99', groups: ['8B'], given: 'Anden' });
    const { planned, held, plan } = await day([...ten.slice(1), reissued]);
    expect(planned).toBe(0);
    expect(held).toMatchObject([
      {
        code: 'identity-contradiction',
        subject: 'main/person/elev1000',
        person: before['elev1000'],
        evidence: {
          reason: 'reissued',
          people: [{ agrees: ['uni-id'], differs: ['civil', 'local'] }],
        },
      },
    ]);
    expect(plan.held).toMatchObject([
      { institution: school, code: 'identity-contradiction', count: 1 },
    ]);
    expect(await present('membership')).toContain(`${school}/elev1000/pupil>${school}/7A`);
    expect(await present('membership')).not.toContain(`${school}/elev1000/pupil>${school}/8B`);
  });

  it('a local id that was given to another person makes a new person', async () => {
    await day(ten);
    const stranger = pupil(0, { uniId: 'nyel0001', civil: 'c77' });
    const { held } = await day([...ten.slice(1), stranger]);
    expect(held).toEqual([]);
    const after = await people();
    expect(after['nyel0001']).not.toBe(after['elev1000']);
  });

  it('a local id alone, without more, is no proof: it is held', async () => {
    const plain = ten.map(({ civil: _, ...one }) => one);
    await day(plain);
    const { held } = await day([...plain.slice(1), { ...pupil(0), uniId: 'nyel0001' }]);
    expect(held).toMatchObject([
      { code: 'identity-contradiction', person: null, evidence: { reason: 'local-alone' } },
    ]);
    expect((await people())['nyel0001']).toBeUndefined();
  });

  it('two new people who share one UNI-ID by a feed error are held', async () => {
    const shared = { uniId: 'delt0001' };
    const { held } = await day([...ten, pupil(20, shared), pupil(21, shared)]);
    expect(held).toMatchObject([
      { code: 'identity-shared', subject: 'main/person/delt0001', person: null },
    ]);
    expect(await usernames()).not.toContain('delt0001');
  });

  it('somebody known who shares the UNI-ID by a feed error keeps the last good state', async () => {
    await day(ten);
    const intruder = pupil(21, { uniId: 'elev1000', groups: ['8B'] });
    const { planned, held } = await day([...ten, intruder]);
    expect(planned).toBe(0);
    expect(held).toMatchObject([{ code: 'identity-shared', evidence: { reason: 'shared' } }]);
    expect(await day(ten)).toMatchObject({ planned: 0, held: [] });
  });

  it('two people who share a local id by a feed error are told apart by the rest', async () => {
    await day(ten);
    const before = await people();
    const { held } = await day([pupil(0), pupil(1, { localId: 'L0' }), ...ten.slice(2)]);
    expect(held).toEqual([]);
    expect(await people()).toEqual(before);
  });

  it('two new people with one civil number are held, and never merged', async () => {
    const { held } = await day([pupil(0), pupil(1, { civil: 'c0' })]);
    expect(held.map(({ code }) => code)).toEqual(['identity-shared', 'identity-shared']);
    expect(await people()).toEqual({});
  });

  it('a known person with another known person’s civil number is held', async () => {
    await day(ten);
    const { planned, held } = await day([
      pupil(0, { civil: 'c1', groups: ['8B'] }),
      ...ten.slice(1),
    ]);
    expect(planned).toBe(0);
    expect(held).toMatchObject([{ evidence: { reason: 'points-to-several' } }]);
  });

  it('protection is switched on even for one who is held', async () => {
    await day(ten);
    const held = pupil(0, { localId: 'L99', civil: 'c99', protected: true, given: 'Alias' });
    await day([...ten.slice(1), held]);
    const [record] = await line().database.as(line().tenant, (tx) =>
      tx.query<{ body: unknown }>(
        `select body from record where entity = 'person' and key = 'elev1000'`,
      ),
    );
    expect(record?.body).toMatchObject({ protected: true, given: null, family: null, email: null });
  });
});
