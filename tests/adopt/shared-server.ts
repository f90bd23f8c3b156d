import { randomUUID } from 'node:crypto';
import type {
  KeycloakAccount,
  KeycloakGroup,
  ResourceKind,
} from '../../provisioning/policy/resource.ts';
import type { Connector, Observed, Outcome, Work } from '../../provisioning/target/contract.ts';
import { steadyPace } from '../support/memory-target.ts';

interface Standing {
  readonly kind: ResourceKind;
  readonly mark: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * A server in memory that others use too: it refuses a username that is taken, as servers do, and obeys
 * whatever id it is given, as no connector would. So it shows what the ledger asks for.
 */
export interface SharedServer extends Connector {
  readonly standing: ReadonlyMap<string, Standing>;
  /** Ids that a write came for. */
  readonly written: ReadonlySet<string>;
  /** Puts an account there that is not ours. */
  put(p: { readonly username: string; readonly uniId: string | null }): string;
  /** Takes a thing away, as an administrator would. */
  remove(id: string): void;
}

/** The server's own name of the group above; a path is as good as an id to whoever reads it. */
function pathOf(body: Work['desired']): string | null {
  const parent = (body as KeycloakGroup | null)?.parent ?? null;
  return parent === null ? null : `/${parent}`;
}

export function openSharedServer(): SharedServer {
  const standing = new Map<string, Standing>();
  const written = new Set<string>();

  function holderOf(work: Work): string | null {
    const username = (work.desired as KeycloakAccount | null)?.username;
    for (const [id, one] of standing) {
      if (one.kind !== work.kind) continue;
      if (one.mark === work.key) return id;
      if (work.kind === 'account' && one.body['username'] === username) return id;
    }
    return null;
  }

  function applyOne(work: Work): Outcome {
    const known = work.externalId !== null && standing.has(work.externalId);
    const holder = known ? work.externalId : holderOf(work);
    if (work.desired === null) {
      if (holder !== null) standing.delete(holder);
      return { state: 'applied', externalId: null };
    }
    if (!known && holder !== null && standing.get(holder)?.mark !== work.key) {
      return { state: 'rejected', code: 'username-taken', detail: 'Taken.' };
    }
    const id = holder ?? randomUUID();
    written.add(id);
    const { desired } = work;
    const body =
      work.kind === 'group'
        ? { ...desired, parent: pathOf(desired), path: `/${work.key}` }
        : { ...desired, groups: (desired as KeycloakAccount).groups.map((key) => `/${key}`) };
    standing.set(id, { kind: work.kind, mark: work.key, body });
    return { state: 'applied', externalId: id };
  }

  return {
    name: 'keycloak',
    type: 'keycloak',
    claimSize: {},
    pace: steadyPace,
    standing,
    written,
    put({ username, uniId }) {
      const id = randomUUID();
      const attributes = uniId === null ? {} : { uniId: [uniId] };
      const body = { username, given: 'En', family: 'Anden', email: null, active: true };
      standing.set(id, {
        kind: 'account',
        mark: null,
        body: { ...body, attributes, groups: [], links: [] },
      });
      return id;
    },
    remove(id) {
      standing.delete(id);
    },
    async prepare() {},
    async check() {
      return [];
    },
    async *observe({ kind }): AsyncGenerator<Observed> {
      for (const [externalId, one] of standing) {
        if (one.kind === kind) yield { kind, externalId, key: one.mark, body: one.body };
      }
    },
    async apply({ batch }) {
      return batch.map(applyOne);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
