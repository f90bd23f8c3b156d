/** A fictive school, and a ledger small enough to hold in the hand. */

import type { KeycloakAccount, KeycloakGroup } from '../../provisioning/policy/resource.ts';
import type { Connector, Observed, Outcome, Work } from '../../provisioning/target/contract.ts';

export interface Ledger {
  readonly rows: Map<string, Work>;
  want(
    kind: 'group' | 'account',
    key: string,
    desired: KeycloakGroup | KeycloakAccount | null,
  ): void;
  /** Applies the changed rows of a kind (or all of them) in batches of the connector's size, and settles what was applied. */
  drain(connector: Connector, kind: 'group' | 'account', which?: 'all'): Promise<Outcome[]>;
  lookUp: Parameters<Connector['apply']>[0]['externalIds'];
}

export function openLedger(): Ledger {
  const rows = new Map<string, Work>();
  const lookUp: Ledger['lookUp'] = async ({ kind, keys }) => {
    const known = keys.flatMap((key) => {
      const id = rows.get(`${kind}/${key}`)?.externalId;
      return id == null ? [] : [[key, id] as const];
    });
    return new Map(known);
  };
  return {
    rows,
    lookUp,
    want(kind, key, desired) {
      const before = rows.get(`${kind}/${key}`);
      rows.set(`${kind}/${key}`, {
        kind,
        key,
        desired,
        applied: before?.applied ?? null,
        externalId: before?.externalId ?? null,
        attempts: 0,
      });
    },
    async drain(connector, kind, which) {
      const outcomes: Outcome[] = [];
      const all = [...rows.values()].filter(
        (row) =>
          row.kind === kind &&
          (which === 'all' || row.desired !== row.applied || row.externalId === null),
      );
      const size = connector.claimSize[kind] ?? 50;
      for (let at = 0; at < all.length; at += size) {
        const batch = all.slice(at, at + size);
        const answers = await connector.apply({ batch, externalIds: lookUp });
        for (const [index, answer] of answers.entries()) {
          const row = batch[index];
          if (row === undefined) throw new Error('more outcomes than rows');
          outcomes.push(answer);
          const id = `${kind}/${row.key}`;
          if (answer.state !== 'applied') rows.set(id, { ...row, attempts: row.attempts + 1 });
          else if (row.desired === null) rows.delete(id);
          else rows.set(id, { ...row, applied: row.desired, externalId: answer.externalId });
        }
      }
      return outcomes;
    },
  };
}

export function group(p: Partial<KeycloakGroup> & { readonly name: string }): KeycloakGroup {
  return { parent: null, active: true, attributes: {}, ...p };
}

export function account(
  p: Partial<KeycloakAccount> & { readonly username: string },
): KeycloakAccount {
  return {
    given: 'Ida',
    family: 'Prøve',
    email: null,
    active: true,
    attributes: {},
    groups: [],
    links: [],
    ...p,
  };
}

/** 500 people of two schools with ten classes each. */
export function fillSchools(ledger: Ledger, people: number): void {
  for (const school of ['101001', '101002']) {
    ledger.want('group', `school:${school}`, group({ name: `Skole ${school}` }));
    for (let line = 0; line < 10; line += 1) {
      ledger.want(
        'group',
        `group:${school}/${line}`,
        group({
          name: `${line}A`,
          parent: `school:${school}`,
          attributes: { grade: [String(line)] },
        }),
      );
    }
  }
  for (let n = 0; n < people; n += 1) {
    const school = n % 2 === 0 ? '101001' : '101002';
    ledger.want(
      'account',
      `person:${n}`,
      account({
        username: `pupil${String(n).padStart(5, '0')}`,
        given: `Fornavn${n} (vikar)`,
        family: "Østergård-O'Prøve",
        // Siblings share a parent's address; every third pupil has none.
        email: n % 3 === 0 ? null : `parent${n >> 2}@example.test`,
        attributes: {
          uniId: [`uni${n}`],
          institutions: [school],
          kinds: ['pupil'],
          roles: ['pupil'],
        },
        groups: [`group:${school}/${Math.floor(n / 2) % 10}`, `school:${school}`],
      }),
    );
  }
}

export async function observeAll(
  connector: Connector,
  kind: 'group' | 'account',
): Promise<Map<string, Observed>> {
  const all = new Map<string, Observed>();
  for await (const one of connector.observe({ kind })) {
    if (all.has(one.externalId)) throw new Error('observed twice');
    all.set(one.externalId, one);
  }
  return all;
}
