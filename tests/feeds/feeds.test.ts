import { expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { proveFeeds } from './prove.ts';

it('a mutated feed takes nothing from anybody that it does not truly say, and never crashes', async () => {
  await using database = await createTestDatabase();
  const proof = await proveFeeds({ serverUrl: database.url, feeds: 40, seed: 1 });
  expect(proof.unearned).toEqual([]);
  expect(proof.crashes).toEqual([]);
  // It would prove nothing if every feed were refused, or none was too much.
  expect(proof.accepted).toBeGreaterThan(15);
  expect(proof.refused).toBeGreaterThan(5);
  expect(proof.held).toBeGreaterThan(2);
}, 300_000);
