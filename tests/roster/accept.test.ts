import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FeedItem } from '../../provisioning/feed/record.ts';
import { FeedError } from '../../provisioning/feed/record.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import type { SmallRoster } from '../support/roster.ts';
import { feedItems, rejectedItem, smallRoster } from '../support/roster.ts';

let server: TestDatabase;
let database: Database;
let tenant = '';
let tenants = 0;

beforeAll(async () => {
  server = await createTestDatabase();
  database = openDatabase({ url: server.url });
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

beforeEach(async () => {
  tenant = `t${++tenants}`;
  await database.addTenant({ id: tenant, name: tenant });
});

function accept(roster: SmallRoster, extra: readonly FeedItem[] = []) {
  return acceptSnapshot({
    database,
    tenant,
    source: 'main',
    items: feedItems(roster, extra),
    now: new Date(),
  });
}

async function present(entity: string): Promise<readonly string[]> {
  const rows = await database.as(tenant, (tx) =>
    tx.query<{ key: string }>(
      'select key from record where entity = $1 and gone_at is null order by key',
      [entity],
    ),
  );
  return rows.map((row) => row.key);
}

/** The same roster without the pupils of one school. */
function withoutPupils(roster: SmallRoster, institution: string): SmallRoster {
  return {
    ...roster,
    people: roster.people.filter((p) => p.institution !== institution || p.kind === 'staff'),
  };
}

const roster = smallRoster({ pupils: 3 });

describe('accepting a snapshot', () => {
  it('counts what the snapshot said', async () => {
    const report = await accept(roster);
    expect(report.counts).toMatchObject({
      institutions: 2,
      people: 10,
      affiliations: { pupil: 6, staff: 4, external: 0, guardian: 0 },
      groups: 2,
      memberships: 8,
      rejected: 0,
      gone: 0,
    });
  });

  it('finds nothing changed in the same snapshot again', async () => {
    await accept(roster);
    const again = await accept(roster);
    expect(again.counts).toMatchObject({ changed: 0, gone: 0 });
  });

  it('lets people leave when a full snapshot lacks them', async () => {
    await accept(roster);
    const report = await accept(withoutPupils(roster, '101001'));
    expect(report.counts.gone).toBe(6);
    expect(await present('affiliation')).toHaveLength(7);
  });

  it('takes people back under the same person id', async () => {
    await accept(roster);
    const before = await people();
    await accept(withoutPupils(roster, '101001'));
    await accept(roster);
    expect(await present('affiliation')).toHaveLength(10);
    expect(await people()).toEqual(before);
  });
});

async function people(): Promise<readonly unknown[]> {
  return database.as(tenant, (tx) =>
    tx.query('select record_key, person_id from recognition order by record_key'),
  );
}

describe('absence that is not earned', () => {
  it.each([['delta'], ['silent']] as const)('a %s entity lets nobody leave', async (coverage) => {
    await accept(roster);
    const report = await accept({ ...withoutPupils(roster, '101001'), coverage });
    expect(report.counts.gone).toBe(0);
  });

  it('an institution that is missing from the source lets nobody leave', async () => {
    await accept(roster);
    const report = await accept({
      institutions: ['101002'],
      groups: roster.groups.filter((g) => g.institution === '101002'),
      people: roster.people.filter((p) => p.institution === '101002'),
    });
    expect(report.counts.gone).toBe(0);
  });

  it('a rejected person keeps affiliation and memberships', async () => {
    await accept(roster);
    const less = { ...roster, people: roster.people.filter((p) => p.uniId !== 'elev1001') };
    const report = await accept(less, [
      rejectedItem({ entity: 'person', key: 'elev1001', institution: '101001' }),
    ]);
    expect(report.counts).toMatchObject({ gone: 0, rejected: 1 });
  });

  it('a rejected group keeps its memberships', async () => {
    await accept(roster);
    const report = await accept(
      {
        ...roster,
        groups: roster.groups.filter((g) => g.institution !== '101001'),
        people: roster.people.map((p) => (p.institution === '101001' ? { ...p, groups: [] } : p)),
      },
      [rejectedItem({ entity: 'group', key: '101001/7A', institution: '101001' })],
    );
    expect(report.counts.gone).toBe(0);
  });

  it('a rejected membership keeps the group it names', async () => {
    await accept(roster);
    const report = await accept(
      { ...roster, groups: [], people: roster.people.map((p) => ({ ...p, groups: [] })) },
      [
        rejectedItem({
          entity: 'membership',
          institution: '101001',
          person: 'elev1001',
          group: '101001/7A',
        }),
      ],
    );
    expect(await present('group')).toEqual(['101001/7A']);
    expect(await present('membership')).toEqual(['101001/elev1001/pupil>101001/7A']);
    expect(report.counts.gone).toBe(8);
  });

  it('a rejected row without any id keeps everything of its kind in its institution', async () => {
    await accept(roster);
    const nobody = { ...roster, people: [] };
    const report = await accept(nobody, [
      rejectedItem({ entity: 'person', institution: '101001' }),
    ]);
    // Five people and four memberships of the other school.
    expect(report.counts.gone).toBe(9);
    expect((await present('affiliation')).every((key) => key.startsWith('101001/'))).toBe(true);
  });

  it('a feed that breaks off is refused and changes nothing', async () => {
    await accept(roster);
    async function* broken(): AsyncGenerator<FeedItem> {
      yield* feedItems(withoutPupils(roster, '101001'));
      throw new FeedError({
        code: 'feed-truncated',
        message: 'It ends in the middle.',
        file: 'x',
        line: 7,
      });
    }
    await expect(
      acceptSnapshot({ database, tenant, source: 'main', items: broken(), now: new Date() }),
    ).rejects.toMatchObject({ code: 'feed-truncated', line: 7 });
    expect(await present('affiliation')).toHaveLength(10);
    const [last] = await database.as(tenant, (tx) =>
      tx.query('select state, refusal from snapshot order by read_at desc limit 1'),
    );
    expect(last).toMatchObject({ state: 'refused', refusal: { code: 'feed-truncated' } });
  });
});

describe('recognising people', () => {
  it('sees one person behind two records with one UNI-ID', async () => {
    await accept(roster);
    await acceptSnapshot({
      database,
      tenant,
      source: 'second',
      items: feedItems({
        ...roster,
        people: [{ uniId: 'ELEV1001', institution: '101002', groups: [] }],
      }),
      now: new Date(),
    });
    const rows = await database.as(tenant, (tx) =>
      tx.query<{ n: number }>(
        `select count(distinct person_id)::int as n from recognition where lower(record_key) = 'elev1001'`,
      ),
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('keeps tenants apart', async () => {
    await accept(roster);
    const first = tenant;
    tenant = 'other';
    await database.addTenant({ id: tenant, name: tenant });
    expect(await present('person')).toEqual([]);
    await accept(roster);
    const ids = await people();
    tenant = first;
    expect(await people()).not.toEqual(ids);
  });
});
