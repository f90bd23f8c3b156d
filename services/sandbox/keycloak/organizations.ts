/** Organizations of a realm and who belongs to them. */

import {
  type Answer,
  type Call,
  flag,
  noContent,
  notFound,
  objectIn,
  ok,
  pageOf,
  refuse,
} from './answer.ts';
import type { Json, KeycloakState, OrganizationDoc, RealmDoc, UserDoc } from './state.ts';
import { describeUser } from './users.ts';

interface In {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}

function all(realm: RealmDoc): OrganizationDoc[] {
  realm.organizations ??= [];
  return realm.organizations;
}

/** Switched off, the whole branch of the API is not there. */
function refuseIfOff(realm: RealmDoc): void {
  if (realm.settings['organizationsEnabled'] !== true) {
    throw notFound('Organizations not enabled for this realm.');
  }
}

/** `search` with `exact` compares the name or a domain, never the alias. */
export function listOrganizations(p: In): Answer {
  refuseIfOff(p.realm);
  const search = p.call.query.get('search');
  const exact = flag(p.call, 'exact', false);
  const fits = (name: string) =>
    search === null ||
    (exact ? name === search : name.toLowerCase().includes(search.toLowerCase()));
  const hits = all(p.realm).filter((one) => fits(one.name) || one.domains.some((d) => fits(d)));
  return ok(pageOf({ call: p.call, items: hits, max: 10 }).map(describe));
}

function describe(one: OrganizationDoc): Json {
  const { domains, members: _members, ...shown } = one;
  return {
    ...shown,
    enabled: true,
    ...(domains.length === 0
      ? {}
      : { domains: domains.map((name) => ({ name, verified: false })) }),
  };
}

export function createOrganization(p: In): Answer {
  refuseIfOff(p.realm);
  const body = objectIn(p.call);
  const name = String(body['name'] ?? '');
  const alias = String(body['alias'] ?? name);
  if (all(p.realm).some((one) => one.name === name)) {
    throw refuse(409, 'A organization with the same name already exists.');
  }
  if (all(p.realm).some((one) => one.alias === alias)) {
    throw refuse(409, 'A organization with the same alias already exists');
  }
  const domains = ((body['domains'] ?? []) as Json[]).map((domain) => String(domain['name']));
  const id = p.state.newId();
  all(p.realm).push({ id, name, alias, domains, members: [] });
  save(p);
  return { status: 201, location: `${p.call.path}/${id}` };
}

function save(p: In): void {
  p.state.realms.set(p.realm.realm, p.realm);
}

function organizationOf(p: In): OrganizationDoc {
  refuseIfOff(p.realm);
  const one = all(p.realm).find((each) => each.id === p.call.params[0]);
  if (one === undefined) throw notFound('HTTP 404 Not Found');
  return one;
}

export function getOrganization(p: In): Answer {
  return ok({ ...describe(organizationOf(p)), attributes: {} });
}

/** The alias is for life. */
export function updateOrganization(p: In): Answer {
  const one = organizationOf(p);
  const body = objectIn(p.call);
  if (body['alias'] !== undefined && body['alias'] !== one.alias) {
    throw refuse(400, 'Cannot change the alias');
  }
  one.name = String(body['name'] ?? one.name);
  one.domains = ((body['domains'] ?? []) as Json[]).map((domain) => String(domain['name']));
  save(p);
  return noContent;
}

function describeMember(p: In & { readonly user: UserDoc; readonly whole: boolean }): Json {
  const { access: _access, ...shown } = describeUser({
    realm: p.realm,
    user: p.user,
    shape: p.whole ? 'listed' : 'brief',
  });
  return { ...shown, membershipType: 'UNMANAGED' };
}

export function listOrganizationMembers(p: In): Answer {
  const users = organizationOf(p)
    .members.flatMap((id) => p.state.user({ realm: p.realm.realm, id }) ?? [])
    .sort((a, b) => (a.username < b.username ? -1 : 1));
  const whole = !flag(p.call, 'briefRepresentation', true);
  const page = pageOf({ call: p.call, items: users, max: 10 });
  return ok(page.map((user) => describeMember({ ...p, user, whole })));
}

/** The body is the user's id, bare or as a JSON text. */
export function addOrganizationMember(p: In): Answer {
  const one = organizationOf(p);
  const id = p.call.text.replaceAll('"', '').trim();
  const user = p.state.user({ realm: p.realm.realm, id });
  if (user === null) throw notFound('HTTP 404 Not Found');
  if (one.members.includes(id)) {
    throw refuse(409, 'User is already a member of the organization.');
  }
  one.members.push(id);
  save(p);
  return { status: 201, location: `${p.call.path}/${id}` };
}

export function getOrganizationMember(p: In): Answer {
  const id = memberOf(p);
  const user = p.state.user({ realm: p.realm.realm, id });
  if (user === null) throw notFound('HTTP 404 Not Found');
  return ok(describeMember({ ...p, user, whole: true }));
}

function memberOf(p: In): string {
  const id = p.call.params[1] ?? '';
  if (!organizationOf(p).members.includes(id)) throw notFound('HTTP 404 Not Found');
  return id;
}

export function removeOrganizationMember(p: In): Answer {
  const id = memberOf(p);
  const one = organizationOf(p);
  one.members = one.members.filter((member) => member !== id);
  save(p);
  return noContent;
}

/** Members go with their user. */
export function forgetMember(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly id: string;
}): void {
  const joined = (p.realm.organizations ?? []).filter((one) => one.members.includes(p.id));
  if (joined.length === 0) return;
  for (const one of joined) one.members = one.members.filter((member) => member !== p.id);
  p.state.realms.set(p.realm.realm, p.realm);
}
