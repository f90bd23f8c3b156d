/** Keycloak as a target: one realm, its groups and its users. */

import type { Connector } from '../contract.ts';
import { applyAccounts } from './accounts.ts';
import { checkKeycloak } from './check.ts';
import type { KeycloakConnection } from './connection.ts';
import { applyGroups } from './groups.ts';
import { observeAccounts, observeGroups } from './observe.ts';
import { prepareRealm } from './prepare.ts';
import { openSession } from './session.ts';

export type { KeycloakConnection } from './connection.ts';

/**
 * Opens nothing until the first call. `apply` never throws for what Keycloak does; it lets a failing
 * `externalIds` through. `prepare` throws where the account lacks manage-realm.
 */
export function connectKeycloak(p: KeycloakConnection): Connector {
  const session = openSession(p);
  return {
    name: p.name,
    type: 'keycloak',
    claimSize: { group: 40, account: 360 },
    pace: () => session.pace(),
    prepare: () => prepareRealm(session),
    check: () => checkKeycloak(session),
    observe({ kind }) {
      if (kind === 'group') return observeGroups(session);
      if (kind === 'account') return observeAccounts(session);
      throw new Error(`Keycloak has no resources of kind ${kind}`);
    },
    async apply({ batch, externalIds }) {
      const kind = batch[0]?.kind;
      if (kind === undefined) return [];
      if (kind === 'group') return applyGroups({ session, batch, externalIds });
      if (kind === 'account') return applyAccounts({ session, batch, externalIds });
      return batch.map(() => ({
        state: 'rejected',
        code: 'unknown-kind',
        detail: `Keycloak has no resources of kind ${kind}.`,
      }));
    },
    // Connections are the runtime's pool, which closes idle ones by itself after a few seconds.
    [Symbol.asyncDispose]: async () => {},
  };
}
