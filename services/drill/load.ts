/**
 * A bulk load beside the wave, through the connector: people with their classes are
 * made batch by batch and removed again in turn, so that the realm does not fill up.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { KeycloakAccount, KeycloakGroup } from '../../provisioning/policy/resource.ts';
import type { Connector, Work } from '../../provisioning/target/contract.ts';
import type { Manner } from '../../provisioning/target/pace/manner.ts';
import { inManner } from '../../provisioning/target/pace/manner.ts';
import { DrillError, removeRows } from './people.ts';
import { drillPrefix, markFor } from './realm-guard.ts';

export interface LoadReport {
  /** People made or removed. */
  readonly rows: number;
  /** Rows per second. */
  readonly rate: number;
  /** Rows that the server did not take at the first try, by code. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface Load {
  /** Lets the batch that is under way come to its end, and tells what was done. */
  stop(): Promise<LoadReport>;
}

const classes = 20;
const school = 'load-school';
/** Usernames of the people of a load begin with it. */
export const loadPrefix = `${drillPrefix}load-`;

/** @throws DrillError when the groups cannot be made; a connector's defect comes out of `stop` */
export async function startLoad(p: {
  readonly connector: Connector;
  readonly manner: Manner;
  /** Part of every name, so that one load does not meet the people of another. */
  readonly name: string;
}): Promise<Load> {
  const ids = new Map<string, string>();
  const failures: Record<string, number> = {};
  let rows = 0;
  let running = true;

  async function apply(batch: readonly Work[]): Promise<number> {
    const outcomes = await inManner(p.manner, () =>
      p.connector.apply({
        batch,
        externalIds: async ({ keys }) =>
          new Map(keys.flatMap((key) => (ids.has(key) ? [[key, ids.get(key) ?? '']] : []))),
      }),
    );
    let done = 0;
    for (const [index, outcome] of outcomes.entries()) {
      const key = batch[index]?.key ?? '';
      if (outcome.state !== 'applied') {
        failures[outcome.code] = (failures[outcome.code] ?? 0) + 1;
        continue;
      }
      done += 1;
      if (outcome.externalId === null) ids.delete(key);
      else ids.set(key, outcome.externalId);
    }
    return done;
  }

  const [top, ...below] = groupRows();
  const groups = (await apply(top === undefined ? [] : [top])) + (await apply(below));
  if (groups !== classes + 1) {
    throw new DrillError({
      code: 'not-prepared',
      message: `The groups of the load could not be made (${Object.keys(failures).join(', ')}). Run drill --prepare first.`,
    });
  }
  const started = performance.now();
  const work = (async () => {
    const size = p.connector.claimSize.account ?? 100;
    for (let from = 0; running; from += size) {
      const made = Array.from({ length: size }, (_, n) => accountRow({ ...p, n: from + n }));
      const done = await apply(made);
      rows += done;
      // A server that takes nothing must not be asked as fast as it refuses.
      if (done === 0) await sleep(1000);
      if (running) rows += await apply(made.flatMap((row) => goneOf({ row, ids })));
    }
    return performance.now() - started;
  })();
  // Whoever stops the load gets the error; until then nobody has to know.
  work.catch(() => {});
  return {
    async stop() {
      running = false;
      const ms = await work;
      return { rows, rate: (rows / ms) * 1000, failures };
    },
  };
}

/** Removes the groups of loads, found by their mark; their people must be gone. */
export async function removeLoadGroups(connector: Connector): Promise<void> {
  const rows = groupRows().map((row) => ({ ...row, desired: null, attempts: 1 }));
  await removeRows({ connector, rows: rows.toReversed() });
}

function groupRows(): readonly Work[] {
  const group = (key: string, more: Pick<KeycloakGroup, 'name' | 'parent'>) =>
    rowOf({ kind: 'group', key, desired: { active: true, attributes: {}, ...more } });
  return [
    group(markFor(school), { name: `${drillPrefix}${school}`, parent: null }),
    ...Array.from({ length: classes }, (_, n) =>
      group(markFor(`load-class-${n}`), { name: `${n}A`, parent: markFor(school) }),
    ),
  ];
}

function accountRow(p: { readonly name: string; readonly n: number }): Work {
  const username = `${loadPrefix}${p.name}-${p.n}`;
  const desired: KeycloakAccount = {
    username,
    given: 'Load',
    family: username,
    email: null,
    active: true,
    attributes: { kinds: ['pupil'], roles: ['pupil'] },
    groups: [markFor(school), markFor(`load-class-${p.n % classes}`)],
    links: [],
  };
  return rowOf({ kind: 'account', key: markFor(username), desired });
}

/** Nothing for what was not made: to look for it would read the whole table of users. */
function goneOf(p: { readonly row: Work; readonly ids: ReadonlyMap<string, string> }): Work[] {
  const externalId = p.ids.get(p.row.key);
  return externalId === undefined ? [] : [{ ...p.row, desired: null, externalId }];
}

function rowOf(p: Pick<Work, 'kind' | 'key' | 'desired'>): Work {
  return { ...p, applied: null, externalId: null, attempts: 0 };
}
