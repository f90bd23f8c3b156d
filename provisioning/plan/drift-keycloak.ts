import type { Body, KeycloakAccount, KeycloakGroup } from '../policy/resource.ts';
import type { Fields, Names, ReadBack } from './seen.ts';
import { keyFor, keysFor, sameText } from './seen.ts';

/**
 * A realm's own words as a body. Usernames and e-mails are stored in lower case; groups come as paths,
 * a parent as its id. Memberships of groups that are not ours are left out, for nobody is taken out of
 * those; so are attributes and links that we never wrote.
 */
export const readBackKeycloak: ReadBack = ({ kind, expected, found, names }) => {
  if (kind === 'group') return readGroup({ expected: expected as KeycloakGroup, found, names });
  if (kind === 'account') {
    return readAccount({ expected: expected as KeycloakAccount, found, names });
  }
  return expected;
};

function readGroup(p: {
  readonly expected: KeycloakGroup;
  readonly found: Fields;
  readonly names: Names;
}): Body {
  const { expected, found, names } = p;
  return {
    ...expected,
    name: String(found['name'] ?? ''),
    parent: keyFor({ kind: 'group', expected: expected.parent, found: found['parent'], names }),
    active: found['active'] === true,
    attributes: attributesOf({ ...p, also: [] }),
    ...(expected.realmRoles === undefined ? {} : { realmRoles: namesOf(found['realmRoles']) }),
    ...(expected.clientRoles === undefined
      ? {}
      : { clientRoles: clientRolesOf({ expected: expected.clientRoles, found }) }),
  };
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String).sort() : [];
}

/** Roles of clients that the policy does not speak of are somebody else's doing. */
function clientRolesOf(p: {
  readonly expected: Readonly<Record<string, readonly string[]>>;
  readonly found: Fields;
}): Readonly<Record<string, readonly string[]>> {
  const there = fieldsOf(p.found['clientRoles']);
  return Object.fromEntries(
    Object.keys(p.expected).map((client) => [client, namesOf(there[client])]),
  );
}

function readAccount(p: {
  readonly expected: KeycloakAccount;
  readonly found: Fields;
  readonly names: Names;
}): Body {
  const { expected, found, names } = p;
  const text = (name: 'username' | 'email') =>
    sameText({ expected: expected[name], found: found[name] });
  return {
    ...expected,
    username: String(text('username') ?? ''),
    given: String(found['given'] ?? ''),
    family: String(found['family'] ?? ''),
    email: text('email') as string | null,
    active: found['active'] === true,
    attributes: attributesOf({ ...p, also: Object.keys(fieldsOf(found['attributes'])) }),
    groups: keysFor({ kind: 'group', expected: expected.groups, found: found['groups'], names }),
    links: linksOf(p),
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function attributesOf(p: {
  readonly expected: { readonly attributes: Readonly<Record<string, readonly string[]>> };
  readonly found: Fields;
  /** Names of attributes that are ours also where nothing is expected. */
  readonly also: readonly string[];
}): Readonly<Record<string, readonly string[]>> {
  const there = fieldsOf(p.found['attributes']);
  const { attributes } = p.expected;
  const read: [string, readonly string[]][] = [];
  for (const name of new Set([...Object.keys(attributes), ...p.also])) {
    const value = there[name];
    const values = namesOf(value);
    const same = JSON.stringify(values) === JSON.stringify([...(attributes[name] ?? [])].sort());
    if (same) read.push([name, attributes[name] ?? []]);
    else if (values.length > 0) read.push([name, values]);
  }
  return Object.fromEntries(read.filter(([, values]) => values.length > 0));
}

/**
 * Links may stand under an alias of the realm's own, and are not read at all where the target writes
 * none: only the login's user id is compared, and only where links are seen.
 */
function linksOf(p: {
  readonly expected: KeycloakAccount;
  readonly found: Fields;
  readonly names: Names;
}): KeycloakAccount['links'] {
  const { links } = p.expected;
  if (!p.names.linksSeen || !Array.isArray(p.found['links'])) return links;
  const there = new Set(p.found['links'].map((link: unknown) => fieldsOf(link)['userId']));
  return links.filter((link) => there.has(link.userId));
}
