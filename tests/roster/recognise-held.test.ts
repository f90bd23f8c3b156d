import { describe, expect, it } from 'vitest';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { SmallPerson } from '../support/roster.ts';
import { feedItems } from '../support/roster.ts';
import { now, pupil, rosterOf, school, ten, usePeopleLine } from './people-line.ts';

const { line, day, openHolds, choose, people, present } = usePeopleLine();

describe('a guardian', () => {
  const father: SmallPerson = {
    uniId: 'far10001',
    civil: 'c-far',
    institution: school,
    kind: 'guardian',
    roles: ['guardian'],
    children: ['elev1000'],
  };

  it('whose id was given to somebody else passes on nothing, and what was given stays', async () => {
    await day([...ten, father]);
    const { planned, held, plan } = await day([
      ...ten,
      { ...father, civil: 'c-stranger', children: ['elev1001'] },
    ]);
    expect(planned).toBe(0);
    expect(held).toMatchObject([
      {
        code: 'relation-contradiction',
        subject: 'main/person/far10001',
        evidence: { reason: 'changed-hands', children: [(await people())['elev1001']] },
      },
    ]);
    expect(plan.held).toMatchObject([{ code: 'relation-contradiction', count: 1 }]);
    expect(await present('relation')).toEqual([`${school}/far10001>elev1000`]);
  });

  it('whose evidence points to two people passes on nothing', async () => {
    const mother = { ...father, uniId: 'mor10001', civil: 'c-mor', children: ['elev1002'] };
    await day([...ten, father, mother]);
    const { held } = await day([
      ...ten,
      { ...father, civil: 'c-mor', children: ['elev1000', 'elev1002'] },
      mother,
    ]);
    expect(held).toMatchObject([
      { code: 'relation-contradiction', evidence: { reason: 'points-to-several' } },
    ]);
    expect(await present('relation')).toEqual([
      `${school}/far10001>elev1000`,
      `${school}/mor10001>elev1002`,
    ]);
  });

  it('who bears a pupil’s UNI-ID passes on nothing, and the pupil goes on', async () => {
    await day(ten);
    const wrong = { ...father, uniId: 'elev1003' };
    const { held } = await day([
      ...ten.slice(0, 3),
      wrong,
      pupil(3, { groups: ['8B'] }),
      ...ten.slice(4),
    ]);
    expect(held).toMatchObject([
      { code: 'relation-contradiction', subject: 'main/contact/elev1003' },
    ]);
    expect(await present('relation')).toEqual([]);
    expect(await present('affiliation')).not.toContain(`${school}/elev1003/guardian`);
    expect(await present('membership')).toContain(`${school}/elev1003/pupil>${school}/8B`);
  });

  it('of a child whose UNI-ID was given to another child does not get to that one', async () => {
    await day([...ten, father]);
    const stranger = pupil(0, { civil: 'c99', localId: 'L99' });
    const uncle = { ...father, uniId: 'onk10001', civil: 'c-onk' };
    const { held } = await day([...ten.slice(1), stranger, uncle]);
    expect(held).toMatchObject([{ subject: 'main/person/elev1000' }]);
    expect(await present('relation')).toEqual([`${school}/far10001>elev1000`]);
  });

  it('who is a teacher at the school as well is one person', async () => {
    const teacher: SmallPerson = { ...father, kind: 'staff', roles: ['teacher'], children: [] };
    const { held } = await day([...ten, teacher, father]);
    expect(held).toEqual([]);
    expect(await present('relation')).toEqual([`${school}/far10001>elev1000`]);
  });

  it('is passed on once somebody says that it is the same person', async () => {
    await day(ten);
    const feed = [...ten, { ...father, uniId: 'elev1003' }];
    const [hold] = (await day(feed)).held;
    await choose(`same:${hold?.person}`);
    expect((await day(feed)).held).toEqual([]);
    expect(await present('relation')).toEqual([`${school}/elev1003>elev1000`]);
  });
});

describe('what a person decided', () => {
  const reissued = pupil(0, { localId: 'L99', civil: 'c99' });
  const feed = [...ten.slice(1), reissued];

  it('"a new person" gives the id to a new person, for good', async () => {
    await day(ten);
    const before = await people();
    await day(feed);
    await choose('new');
    const { held } = await day(feed);
    expect(held).toEqual([]);
    const after = await people();
    expect(after['elev1000']).not.toBe(before['elev1000']);
    expect(Object.values(before)).not.toContain(after['elev1000']);
    expect(after['elev1001']).toBe(before['elev1001']);
  });

  it('"the same person" links, and the new evidence is known from then on', async () => {
    await day(ten);
    const before = await people();
    const [hold] = (await day(feed)).held;
    await choose(hold?.evidence.choices[0] ?? '');
    expect(await day(feed)).toMatchObject({ planned: 0, held: [] });
    expect(await people()).toEqual(before);
    // A later change of the local id finds the decided number agreeing.
    expect((await day([...ten.slice(1), { ...reissued, localId: 'L98' }])).held).toEqual([]);
  });

  it('"a new person" stands although one piece goes on pointing to somebody else', async () => {
    await day(ten);
    const sibling = pupil(30, { civil: 'c1' });
    expect((await day([...ten, sibling])).held).toHaveLength(1);
    await choose('new');
    expect((await day([...ten, sibling])).held).toEqual([]);
    const { elev1001, elev1030 } = await people();
    expect(elev1030).not.toBe(elev1001);
  });

  it('"wait" for once is asked again, as a rule it is not', async () => {
    await day(ten);
    await day(feed);
    await choose('wait');
    expect((await day(feed)).held).toHaveLength(1);
    await choose('wait', 'rule');
    const { planned, held } = await day(feed);
    expect({ planned, held }).toEqual({ planned: 0, held: [] });
    expect(await present('membership')).toContain(`${school}/elev1000/pupil>${school}/7A`);
  });

  it('a hold stays open while a snapshot says nothing of the person', async () => {
    await day(ten);
    await day(feed);
    const others = { ...rosterOf(ten.slice(1)), coverage: 'delta' as const };
    await line().day({ roster: others, now });
    expect(await openHolds()).toHaveLength(1);
    await acceptSnapshot({
      database: line().database,
      tenant: line().tenant,
      source: 'second',
      items: feedItems(rosterOf(ten.slice(1))),
      now,
    });
    expect(await openHolds()).toHaveLength(1);
    // A full snapshot without the person ends both, the affiliation and the question.
    expect((await day(ten.slice(1))).held).toEqual([]);
  });

  it('a choice of nobody is spent and asked again', async () => {
    await day(ten);
    await day(feed);
    await choose('same:00000000-0000-0000-0000-000000000000');
    expect((await day(feed)).held).toHaveLength(1);
  });

  it('a hold tells systems and people, never values', async () => {
    await day(ten);
    await day([...ten.slice(2), reissued, pupil(20, { uniId: 'elev1001' }), pupil(1)]);
    const text = JSON.stringify((await openHolds()).map(({ evidence }) => evidence));
    expect(text).toContain('civil');
    // Our own ids are chance, and may hold any of these.
    const values = text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '');
    expect(values).not.toMatch(/c0|c99|c20|L0|L99|elev1000|Prøvesen/);
  });
});
