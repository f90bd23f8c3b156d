import fc from 'fast-check';
import { expect, it } from 'vitest';
import { smallRoster } from '../support/roster.ts';
import { openSharedServer } from './shared-server.ts';
import { openTown } from './town.ts';

const roster = smallRoster({ pupils: 1 });
const username = fc.constantFrom(
  'elev1001',
  'elev2001',
  'lear1001',
  'lede2001',
  'fremmed',
  'gammel',
);
const foreign = fc.uniqueArray(
  fc.record({
    username,
    uniId: fc.option(fc.constantFrom('elev1001', 'elev2001', 'zzzz9999'), { nil: null }),
  }),
  { maxLength: 5, selector: (one) => one.username },
);
const steps = fc.array(fc.constantFrom('plan', 'sync', 'propose', 'adopt', 'drift', 'remove'), {
  minLength: 3,
  maxLength: 7,
});

it('what no plan has linked is never written, whatever is done in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(foreign, steps, async (others, todo) => {
      await using server = openSharedServer();
      await using town = await openTown({ connectors: new Map([['keycloak', server]]) });
      const before = new Map(others.map((one) => [server.put(one), one]));
      const bodies = new Map([...before.keys()].map((id) => [id, server.standing.get(id)]));
      for (const step of todo) {
        if (step === 'plan' || step === 'sync')
          await town.sync({ roster, commit: step === 'sync' });
        if (step === 'propose' || step === 'adopt') {
          await town.adopt({ target: 'keycloak', commit: step === 'adopt' });
        }
        if (step === 'drift') await town.drift();
        if (step === 'remove') {
          const ours = [...server.standing].find(([id]) => !before.has(id));
          if (ours !== undefined) server.remove(ours[0]);
        }
      }
      const linked = await town.database.as(town.tenant, (tx) =>
        tx.query<{ external_id: string }>(
          `select external_id from change
           where action = 'adopt' and outcome = 'committed' and external_id is not null`,
        ),
      );
      const adopted = new Set(linked.map((row) => row.external_id));
      for (const [id, body] of bodies) {
        if (adopted.has(id)) continue;
        expect(server.written.has(id)).toBe(false);
        expect(server.standing.get(id)).toBe(body);
      }
      // In the end all is quiet.
      await town.sync({ roster, commit: true });
      await town.adopt({ target: 'keycloak', commit: true });
      await town.drift();
      const { differences, plan } = await town.drift();
      expect(plan).toBeNull();
      expect(differences).toEqual([]);
      for (const [id, { uniId, username: name }] of before) {
        if (uniId === 'zzzz9999' || name === 'fremmed') expect(server.written.has(id)).toBe(false);
      }
    }),
    { numRuns: 5, endOnFailure: true },
  );
}, 120_000);
