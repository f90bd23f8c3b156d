/** Reading a realm back: for adoption, for drift. */

import type GroupRepresentation from '@keycloak/keycloak-admin-client/lib/defs/groupRepresentation.js';
import type UserRepresentation from '@keycloak/keycloak-admin-client/lib/defs/userRepresentation.js';
import pLimit from 'p-limit';
import type { Observed } from '../contract.ts';
import { withSuffix } from './groups.ts';
import { readAliases } from './links.ts';
import { accountAttributes, closedAttribute, markAttribute, markOf } from './mark.ts';
import { readTenant, type Tenant } from './organization.ts';
import type { KeycloakSession } from './session.ts';

const page = 100;
/** How far pages overlap, so that rows which slide up while we read are met twice rather than never. */
const overlap = 10;
const memberPage = 500;
const parallel = 8;

/**
 * Every item once. Paging by offset shifts when somebody writes meanwhile: pages overlap, and where
 * not even the overlap is seen again, the reading starts over (what was given is not given twice).
 */
export async function* readPages<T extends { id?: string }>(p: {
  readonly size: number;
  readonly fetch: (first: number, max: number) => Promise<readonly T[]>;
}): AsyncGenerator<T> {
  const seen = new Set<string>();
  let first = 0;
  let restarts = 0;
  for (;;) {
    const items = await p.fetch(first, p.size);
    const met = items.filter((item) => seen.has(String(item.id)));
    if (first > 0 && items.length > 0 && met.length === 0 && restarts < 5) {
      first = 0;
      restarts += 1;
      continue;
    }
    for (const item of items) {
      if (seen.has(String(item.id))) continue;
      seen.add(String(item.id));
      yield item;
    }
    if (items.length < p.size) return;
    first += p.size - overlap;
  }
}

/** Null: the realm is this tenant's own. */
async function tenantOf(session: KeycloakSession): Promise<Tenant | null> {
  if (session.settings.organization === null) return null;
  const tenant = await readTenant(session);
  if (tenant !== null) return tenant;
  throw new Error('The realm has no organization for this tenant: prepare the target.');
}

/** The whole tree, parents before children; of a shared realm only what lies below the tenant's top group. */
async function* readGroups(p: {
  readonly session: KeycloakSession;
  readonly tenant: Tenant | null;
}): AsyncGenerator<GroupRepresentation> {
  const { client, read } = p.session;
  const waiting: string[] = p.tenant === null ? [] : [p.tenant.groupId];
  const whole = { briefRepresentation: false };
  if (p.tenant === null) {
    yield* collect(
      readPages({
        size: page,
        fetch: (first, max) => read(() => client.groups.find({ first, max, ...whole }), 'list'),
      }),
      waiting,
    );
  }
  for (let parentId = waiting.shift(); parentId !== undefined; parentId = waiting.shift()) {
    const id = parentId;
    yield* collect(
      readPages({
        size: page,
        fetch: (first, max) =>
          read(() => client.groups.listSubGroups({ parentId: id, first, max, ...whole }), 'list'),
      }),
      waiting,
    );
  }
}

async function* collect(
  groups: AsyncIterable<GroupRepresentation>,
  parents: string[],
): AsyncGenerator<GroupRepresentation> {
  for await (const group of groups) {
    if (group.subGroupCount !== 0) parents.push(String(group.id));
    yield group;
  }
}

/** `body`: name, path, parent (Keycloak id or null), active, attributes without our marks, roles. */
export async function* observeGroups(session: KeycloakSession): AsyncGenerator<Observed> {
  const tenant = await tenantOf(session);
  for await (const group of readGroups({ session, tenant })) {
    const key = markOf(group);
    const attributes = { ...(group.attributes ?? {}) };
    const active = attributes[closedAttribute] === undefined;
    delete attributes[markAttribute];
    delete attributes[closedAttribute];
    const name = String(group.name);
    const suffix = key === null ? '' : withSuffix({ name: '', key });
    yield {
      kind: 'group',
      externalId: String(group.id),
      key,
      body: {
        // A closed group stands under a name of its own; see `groupNameOf`.
        name: !active && name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name,
        path: group.path ?? null,
        parent: group.parentId === tenant?.groupId ? null : (group.parentId ?? null),
        active,
        attributes,
        realmRoles: (group.realmRoles ?? []).toSorted(),
        clientRoles: group.clientRoles ?? {},
      },
    };
  }
}

/**
 * `body`: username, given, family, email, active, our attributes, groups (sorted paths), links.
 * Memberships are read group by group and links only of people who have one, so that a realm of
 * 10,000 people and 500 groups takes some 600 calls and not 10,000.
 */
export async function* observeAccounts(session: KeycloakSession): AsyncGenerator<Observed> {
  const { client, read } = session;
  const tenant = await tenantOf(session);
  const paths = await readMemberships({ session, tenant });
  const linked = await readLinked(session);
  const users = readPages<UserRepresentation>({
    size: page,
    fetch: (first, max) =>
      read(
        () =>
          tenant === null
            ? client.users.find({ first, max })
            : client.organizations.listMembers(membersPage({ tenant, first, max })),
        'list',
      ),
  });
  let chunk: UserRepresentation[] = [];
  for await (const user of users) {
    chunk.push(user);
    if (chunk.length < page) continue;
    yield* present({ session, chunk, paths, linked });
    chunk = [];
  }
  yield* present({ session, chunk, paths, linked });
}

/** Brief, as it is by default, leaves attributes out; the client's types do not know the word here. */
function membersPage(p: { readonly tenant: Tenant; readonly first: number; readonly max: number }) {
  const { first, max } = p;
  return { orgId: p.tenant.organizationId, first, max, briefRepresentation: false };
}

async function* present(p: {
  readonly session: KeycloakSession;
  readonly chunk: readonly UserRepresentation[];
  readonly paths: ReadonlyMap<string, readonly string[]>;
  readonly linked: ReadonlySet<string>;
}): AsyncGenerator<Observed> {
  const limit = pLimit(parallel);
  const links = await Promise.all(
    p.chunk.map((user) =>
      p.linked.has(String(user.id))
        ? limit(() => readLinks({ session: p.session, id: String(user.id) }))
        : [],
    ),
  );
  for (const [index, user] of p.chunk.entries()) {
    yield {
      kind: 'account',
      externalId: String(user.id),
      key: markOf(user),
      body: {
        username: user.username ?? '',
        given: user.firstName ?? '',
        family: user.lastName ?? '',
        email: user.email ?? null,
        active: user.enabled === true,
        attributes: ownAttributes(user),
        groups: [...(p.paths.get(String(user.id)) ?? [])].sort(),
        links: links[index] ?? [],
      },
    };
  }
}

/** Other people's attributes are not ours to compare. */
function ownAttributes(user: UserRepresentation): Record<string, string[]> {
  const own: Record<string, string[]> = {};
  for (const { name } of accountAttributes) {
    const values: unknown = user.attributes?.[name];
    if (name !== markAttribute && Array.isArray(values)) own[name] = values.map(String).sort();
  }
  return own;
}

async function readLinks(p: {
  readonly session: KeycloakSession;
  readonly id: string;
}): Promise<readonly { readonly provider: string; readonly userId: string }[]> {
  const { client, read } = p.session;
  const rows = await read(() => client.users.listFederatedIdentities({ id: p.id }));
  return rows
    .map((row) => ({ provider: String(row.identityProvider), userId: String(row.userId) }))
    .sort((a, b) => (a.provider < b.provider ? -1 : 1));
}

async function readMemberships(p: {
  readonly session: KeycloakSession;
  readonly tenant: Tenant | null;
}): Promise<ReadonlyMap<string, readonly string[]>> {
  const { client, read } = p.session;
  const limit = pLimit(parallel);
  const paths = new Map<string, string[]>();
  const reading: Promise<void>[] = [];
  for await (const group of readGroups(p)) {
    const id = String(group.id);
    const path = String(group.path);
    reading.push(
      limit(async () => {
        const members = readPages({
          size: memberPage,
          fetch: (first, max) =>
            read(
              () => client.groups.listMembers({ id, first, max, briefRepresentation: true }),
              'list',
            ),
        });
        for await (const member of members) {
          const user = String(member.id);
          paths.set(user, [...(paths.get(user) ?? []), path]);
        }
      }),
    );
  }
  await Promise.all(reading);
  return paths;
}

async function readLinked(session: KeycloakSession): Promise<ReadonlySet<string>> {
  const { client, read } = session;
  const override = session.idpAlias;
  if (override === null) return new Set();
  const aliases = (await readAliases(session)) ?? (override === undefined ? [] : [override]);
  const linked = new Set<string>();
  for (const idpAlias of aliases) {
    const users = readPages({
      size: memberPage,
      fetch: (first, max) =>
        read(() => client.users.find({ idpAlias, first, max, briefRepresentation: true }), 'list'),
    });
    for await (const user of users) linked.add(String(user.id));
  }
  return linked;
}
