/** Who is in which group. Groups without our mark are somebody else's: nobody is taken out of them. */

import pLimit from 'p-limit';
import { statusOf } from './failure.ts';
import { markOf } from './mark.ts';
import type { KeycloakSession } from './session.ts';

/** Path by Keycloak id, null where the group is gone. Paths are read afresh for each batch: a rename changes those of a whole subtree. */
export async function readGroupPaths(p: {
  readonly session: KeycloakSession;
  readonly ids: readonly string[];
}): Promise<Map<string, string | null>> {
  const { client, call } = p.session;
  const limit = pLimit(8);
  const read = [...new Set(p.ids)].map((id) =>
    limit(async () => {
      const group = await call(() => client.groups.findOne({ id }));
      return [id, group?.path ?? null] as const;
    }),
  );
  return new Map(await Promise.all(read));
}

/** PUT and DELETE of a pair are idempotent, so an attempt cut short is simply done again. */
export async function writeMemberships(p: {
  readonly session: KeycloakSession;
  readonly userId: string;
  /** Keycloak ids of all groups of ours that the user shall be in. */
  readonly groups: readonly string[];
}): Promise<void> {
  const { client, call } = p.session;
  const id = p.userId;
  const current = await call(() => client.users.listGroups({ id, briefRepresentation: false }));
  const has = new Set(current.map((group) => group.id));
  for (const groupId of p.groups) {
    if (!has.has(groupId)) await call(() => client.users.addToGroup({ id, groupId }));
  }
  const wanted = new Set(p.groups);
  for (const group of current) {
    const groupId = String(group.id);
    if (wanted.has(groupId) || markOf(group) === null) continue;
    await call(() => client.users.delFromGroup({ id, groupId })).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
  }
}
