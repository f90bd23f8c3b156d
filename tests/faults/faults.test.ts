import { expect, it } from 'vitest';
import { loadFaultyTargets } from '../chaos/faulty-targets.ts';
import { createTestDatabase } from '../support/database.ts';

it('with every recorded misbehaviour at 1 %, all is right in the end, nothing doubled, nothing half-made', async () => {
  await using database = await createTestDatabase();
  const report = await loadFaultyTargets({
    databaseUrl: database.url,
    schools: 1,
    people: 250,
    rate: 0.01,
    seed: 5,
  });
  expect(report).toMatchObject({ wrong: 0, doubled: 0, halfMade: 0 });
  expect(report.resources).toBeGreaterThan(700);
  const struck = Object.entries(report.struck).filter(([, n]) => n > 0);
  expect(struck.length).toBeGreaterThan(8);
  expect(report.causes.length).toBeGreaterThan(0);
}, 240_000);
