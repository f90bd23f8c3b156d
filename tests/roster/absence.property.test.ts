import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Completeness, Entity, FeedItem } from '../../provisioning/feed/record.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { feedItems, rejectedItem, smallRoster } from '../support/roster.ts';

let server: TestDatabase;
let database: Database;
let tenants = 0;

beforeAll(async () => {
  server = await createTestDatabase();
  database = openDatabase({ url: server.url });
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const roster = smallRoster({ pupils: 4 });

/** What may happen to the items of a feed between two days. */
interface Mischief {
  /** Per item: kept, dropped, or turned into a rejected row. */
  readonly fates: readonly ('keep' | 'drop' | 'reject')[];
  readonly coverage: Readonly<Record<string, Completeness | 'missing'>>;
}

const mischief: fc.Arbitrary<Mischief> = fc.record({
  fates: fc.array(fc.constantFrom('keep', 'keep', 'drop', 'reject'), {
    minLength: 40,
    maxLength: 60,
  }),
  coverage: fc.record({
    '101001': fc.constantFrom('full', 'full', 'delta', 'silent', 'missing'),
    '101002': fc.constantFrom('full', 'delta', 'missing'),
  }),
});

async function* mutated(p: Mischief): AsyncGenerator<FeedItem> {
  let n = 0;
  for await (const item of feedItems(roster)) {
    if (item.type === 'coverage') {
      const how = p.coverage[item.institution];
      if (how === undefined || how === 'missing') continue;
      yield { ...item, affiliation: how, group: how, membership: how, relation: how };
      continue;
    }
    const fate = item.type === 'record' ? (p.fates[n++ % p.fates.length] ?? 'keep') : 'keep';
    if (fate === 'keep' || item.type !== 'record') yield item;
    else if (fate === 'reject') {
      const { record } = item;
      yield rejectedItem({
        entity: record.entity,
        key: record.key,
        institution: 'institution' in record ? record.institution : null,
        person: 'person' in record ? record.person : null,
        group: 'group' in record ? record.group : null,
      });
    }
  }
}

interface Row {
  readonly entity: Entity;
  readonly key: string;
  readonly institution: string | null;
  readonly person: string | null;
  readonly group: string | null;
  readonly gone: boolean;
}

/** The rule of absence, told once more in a few lines of another language than the store's. */
function mayBeGone(p: { readonly row: Row; readonly items: readonly FeedItem[] }): boolean {
  const { row, items } = p;
  if (!['affiliation', 'group', 'membership', 'relation'].includes(row.entity)) return false;
  if (
    items.some(
      (i) => i.type === 'record' && i.record.key === row.key && i.record.entity === row.entity,
    )
  )
    return false;
  const covered = items.some(
    (i) => i.type === 'coverage' && i.institution === row.institution && i.group === 'full',
  );
  if (!covered) return false;
  return !items.some(
    (i) =>
      i.type === 'rejected' &&
      ((i.entity === row.entity && i.key === row.key) ||
        (i.entity === 'person' && i.key === row.person) ||
        (i.entity === 'group' && i.key === row.group)),
  );
}

it('lets no record leave without having earned it', async () => {
  await fc.assert(
    fc.asyncProperty(mischief, async (bad) => {
      const tenant = `p${++tenants}`;
      await database.addTenant({ id: tenant, name: tenant });
      const accept = (items: AsyncIterable<FeedItem>) =>
        acceptSnapshot({ database, tenant, source: 'main', items, now: new Date() });
      await accept(feedItems(roster));
      await accept(mutated(bad));
      const items = await Array.fromAsync(mutated(bad));
      const rows = await database.as(tenant, (tx) =>
        tx.query<Row & Record<string, unknown>>(
          `select entity, key, institution, person, "group", gone_at is not null as gone from record`,
        ),
      );
      const unearned = rows.filter((row) => row.gone && !mayBeGone({ row, items }));
      expect(unearned).toEqual([]);
    }),
    { numRuns: 60 },
  );
}, 60_000);
