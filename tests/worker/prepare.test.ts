import { expect, it } from 'vitest';
import type { Connector } from '../../provisioning/target/contract.ts';
import { keepPreparing, prepareTargets } from '../../services/prepare.ts';
import { steadyPace } from '../support/memory-target.ts';

/** A target that answers so many calls with an error before it can be prepared. */
function target(p: { readonly name: string; readonly refusals: number }): Connector {
  let left = p.refusals;
  return {
    name: p.name,
    type: 'keycloak',
    claimSize: {},
    pace: steadyPace,
    check: async () => [],
    async *observe() {},
    apply: async () => [],
    async prepare() {
      left -= 1;
      if (left >= 0) throw new Error('not now');
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

it('one lost answer does not leave a target unprepared', async () => {
  const said: string[] = [];
  const connectors = [
    target({ name: 'quick', refusals: 0 }),
    target({ name: 'late', refusals: 1 }),
  ];
  expect(await prepareTargets({ connectors, onTrouble: (s) => said.push(s) })).toEqual([]);
  expect(said).toEqual([]);
});

it('a target that is out of reach is told, and made ready as soon as it answers', async () => {
  const said: string[] = [];
  const late = target({ name: 'late', refusals: 6 });
  const missing = await prepareTargets({ connectors: [late], onTrouble: (s) => said.push(s) });
  expect(missing).toEqual([late]);
  expect(said).toEqual(['late could not be made ready: not now']);
  await using _preparing = keepPreparing({
    connectors: missing,
    onReady: (s) => said.push(s),
    waitMs: 5,
  });
  await expect.poll(() => said).toContain('late is ready now.');
}, 20_000);
