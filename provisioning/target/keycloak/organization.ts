/**
 * Many tenants in one realm: an organization each, with the tenant's accounts as its members and the
 * tenant's groups below one top group. A connector reads and removes nothing outside of them.
 * Usernames and logins are still the realm's own: two tenants cannot have the same one.
 */

import type OrganizationRepresentation from '@keycloak/keycloak-admin-client/lib/defs/organizationRepresentation.js';
import type { Outcome } from '../contract.ts';
import type { TenantOrganization } from './connection.ts';
import { retry, statusOf } from './failure.ts';
import { markAttribute, markOf } from './mark.ts';
import type { KeycloakSession } from './session.ts';

export interface Tenant {
  readonly organizationId: string;
  /** The group that all groups of the tenant lie below. */
  readonly groupId: string;
}

export function notPrepared(): Outcome {
  return retry({
    code: 'not-prepared',
    afterMs: 300_000,
    detail: 'The realm has no organization or top group for this tenant: prepare the target.',
  });
}

const known = new WeakMap<KeycloakSession, Tenant>();

/** Null where the realm is not prepared for this tenant yet. Ids are for life, so they are kept. */
export async function readTenant(session: KeycloakSession): Promise<Tenant | null> {
  const wanted = session.settings.organization;
  if (wanted === null) throw new Error('this target has no organization');
  const kept = known.get(session);
  if (kept !== undefined) return kept;
  const organization = await findOrganization({ session, wanted });
  const groupId = await findTopGroup({ session, wanted });
  if (organization?.id === undefined || groupId === null) return null;
  const tenant = { organizationId: organization.id, groupId };
  known.set(session, tenant);
  return tenant;
}

/** `search` looks at names and domains, never at the alias, which alone is for life. */
async function findOrganization(p: {
  readonly session: KeycloakSession;
  readonly wanted: TenantOrganization;
}): Promise<OrganizationRepresentation | null> {
  const { client, read } = p.session;
  const { alias, name } = p.wanted;
  const hits = await read(() => client.organizations.find({ search: name, exact: true, max: 10 }));
  const hit = hits.find((one) => one.alias === alias);
  if (hit !== undefined) return hit;
  const all = await read(() => client.organizations.find({ first: 0, max: -1 }));
  return all.find((one) => one.alias === alias) ?? null;
}

const markOfTop = (wanted: TenantOrganization) => `tenant:${wanted.alias}`;

async function findTopGroup(p: {
  readonly session: KeycloakSession;
  readonly wanted: TenantOrganization;
}): Promise<string | null> {
  const { client, read } = p.session;
  const mark = markOfTop(p.wanted);
  const found = await read(() =>
    client.groups.find({
      q: `"${markAttribute}":"${mark}"`,
      populateHierarchy: false,
      briefRepresentation: false,
      max: 10,
    }),
  );
  return found.find((group) => markOf(group) === mark)?.id ?? null;
}

export async function prepareOrganization(session: KeycloakSession): Promise<void> {
  const wanted = session.settings.organization;
  if (wanted === null) return;
  const { client, call, read, realm } = session;
  const current = await read(() => client.realms.findOne({ realm }));
  if (current?.organizationsEnabled !== true) {
    await call(() => client.realms.update({ realm }, { organizationsEnabled: true }));
  }
  const domains = wanted.domain === null ? [] : [{ name: wanted.domain, verified: false }];
  const { alias, name } = wanted;
  const stands = await findOrganization({ session, wanted });
  if (stands === null) {
    await call(() => client.organizations.create({ alias, name, enabled: true, domains }));
  } else if (stands.name !== name || !hasDomain(stands, wanted.domain)) {
    const id = String(stands.id);
    // The list leaves attributes out, and a PUT without them would clear them.
    const whole = await read(() => client.organizations.findOne({ id }));
    const kept = hasDomain(stands, wanted.domain) ? (whole.domains ?? []) : domains;
    await call(() => client.organizations.updateById({ id }, { ...whole, name, domains: kept }));
  }
  if ((await findTopGroup({ session, wanted })) !== null) return;
  const attributes = { [markAttribute]: [markOfTop(wanted)] };
  await call(() => client.groups.create({ name, attributes }));
}

/** No domain wanted means that the domains are somebody else's matter. */
function hasDomain(stands: OrganizationRepresentation, domain: string | null): boolean {
  return domain === null || (stands.domains ?? []).some((one) => one.name === domain);
}

/** Reads first, so that a second run writes nothing; a race to the same membership is no fault. */
export async function joinOrganization(p: {
  readonly session: KeycloakSession;
  readonly tenant: Tenant;
  readonly userId: string;
  /** Just made, so certainly not a member. */
  readonly fresh: boolean;
}): Promise<void> {
  const { client, call, read } = p.session;
  const place = { orgId: p.tenant.organizationId, userId: p.userId };
  if (!p.fresh) {
    const member = await read(() => client.organizations.getMember(place)).catch(
      (error: unknown) => {
        if (statusOf(error) !== 404) throw error;
        return null;
      },
    );
    if (member) return;
  }
  await call(() => client.organizations.addMember(place)).catch((error: unknown) => {
    if (statusOf(error) !== 409) throw error;
  });
}
