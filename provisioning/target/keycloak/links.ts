/** Brokered logins written ahead. The server checks neither the alias nor that a login is free. */

import type { KeycloakAccount } from '../../policy/resource.ts';
import { statusOf } from './failure.ts';
import { markOf } from './mark.ts';
import type { KeycloakSession } from './session.ts';

export interface Link {
  readonly alias: string;
  readonly userId: string;
}

export interface LinkPlan {
  readonly add: readonly Link[];
  readonly remove: readonly string[];
}

const aliasesKeptMs = 60_000;
const known = new WeakMap<
  KeycloakSession,
  { readonly at: number; readonly aliases: Promise<ReadonlySet<string> | null> }
>();

/** The realm's identity providers; null where we may not list them (view-identity-providers). */
export async function readAliases(session: KeycloakSession): Promise<ReadonlySet<string> | null> {
  const kept = known.get(session);
  if (kept !== undefined && performance.now() - kept.at < aliasesKeptMs) return kept.aliases;
  const aliases = listAliases(session);
  known.set(session, { at: performance.now(), aliases });
  aliases.catch(() => known.delete(session));
  return aliases;
}

async function listAliases(session: KeycloakSession): Promise<ReadonlySet<string> | null> {
  try {
    const all = await session.read(() => session.client.identityProviders.find());
    return new Set(all.flatMap((provider) => provider.alias ?? []));
  } catch (error) {
    if (statusOf(error) === 403) return null;
    throw error;
  }
}

/** Links under the alias they are written to; without an empty id (CVE-2026-82968) and without aliases the realm lacks. */
export async function usableLinks(p: {
  readonly session: KeycloakSession;
  readonly links: KeycloakAccount['links'];
}): Promise<readonly Link[]> {
  const override = p.session.idpAlias;
  if (override === null || p.links.length === 0) return [];
  const aliases = await readAliases(p.session);
  return p.links
    .map((link) => ({ alias: override ?? link.provider, userId: link.userId }))
    .filter((link) => link.userId !== '' && (aliases === null || aliases.has(link.alias)));
}

/** Who is linked to these logins now. */
export async function holdersOf(p: {
  readonly session: KeycloakSession;
  readonly links: readonly Link[];
}): Promise<readonly { readonly id: string; readonly mark: string | null }[]> {
  const { client, read } = p.session;
  const holders: { id: string; mark: string | null }[] = [];
  for (const link of p.links) {
    const query = { idpAlias: link.alias, idpUserId: link.userId, max: 5 };
    for (const user of await read(() => client.users.find(query))) {
      holders.push({ id: String(user.id), mark: markOf(user) });
    }
  }
  return holders;
}

/** Only providers that we write, or wrote, are touched: a link to another one is the user's own. */
export async function linksToWrite(p: {
  readonly session: KeycloakSession;
  readonly userId: string;
  readonly desired: KeycloakAccount;
  /** What we may have written before. */
  readonly stood: readonly KeycloakAccount[];
}): Promise<LinkPlan> {
  const want = await usableLinks({ session: p.session, links: p.desired.links });
  const wrote = await usableLinks({
    session: p.session,
    links: p.stood.flatMap((body) => body.links),
  });
  if (want.length === 0 && wrote.length === 0) return { add: [], remove: [] };
  const { client, read } = p.session;
  const rows = await read(() => client.users.listFederatedIdentities({ id: p.userId }));
  const stands = new Map(rows.map((row) => [String(row.identityProvider), String(row.userId)]));
  const add = want.filter((link) => stands.get(link.alias) !== link.userId);
  const wanted = new Set(want.map((link) => link.alias));
  const dropped = wrote.filter((link) => !wanted.has(link.alias) && stands.has(link.alias));
  const changed = add.filter((link) => stands.has(link.alias));
  return { add, remove: [...new Set([...dropped, ...changed].map((link) => link.alias))] };
}

/** A link cannot be changed, only removed and written anew; adding one that stands answers 409 even when it is equal. */
export async function writeLinks(p: {
  readonly session: KeycloakSession;
  readonly userId: string;
  readonly plan: LinkPlan;
}): Promise<void> {
  const { client, call } = p.session;
  const id = p.userId;
  for (const federatedIdentityId of p.plan.remove) {
    await call(() => client.users.delFromFederatedIdentity({ id, federatedIdentityId })).catch(
      (error: unknown) => {
        if (statusOf(error) !== 404) throw error;
      },
    );
  }
  for (const link of p.plan.add) {
    const federatedIdentity = {
      identityProvider: link.alias,
      userId: link.userId,
      userName: link.userId,
    };
    await call(() =>
      client.users.addToFederatedIdentity({
        id,
        federatedIdentityId: link.alias,
        federatedIdentity,
      }),
    );
  }
}
