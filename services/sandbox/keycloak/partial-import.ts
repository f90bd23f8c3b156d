/** POST partialImport: all or nothing, and without the rules of the user profile. */

import { type Answer, type Call, objectIn, ok, Refusal, unknownError } from './answer.ts';
import type { Json, KeycloakState, LinkDoc, RealmDoc } from './state.ts';
import { groupByPath, newUser } from './users.ts';

export function importPartially(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}): Answer {
  const { realm, state } = p;
  const body = objectIn(p.call);
  const policy = String(body['ifResourceExists'] ?? 'FAIL');
  const users = (body['users'] ?? []) as Json[];
  if (policy === 'OVERWRITE') {
    // Deletes and recreates under a new id: nothing that provisions may rely on it.
    throw new Refusal({ status: 501, body: { error: 'OVERWRITE is not part of this stand-in' } });
  }
  const results: Json[] = [];
  const fresh: Json[] = [];
  for (const user of users) {
    const username = String(user['username'] ?? '').toLowerCase();
    const standing = state.userByName({ realm: realm.realm, username });
    if (standing === null) {
      fresh.push(user);
      continue;
    }
    if (policy === 'FAIL') {
      const errorMessage = `User with user name ${username} already exists.`;
      throw new Refusal({ status: 409, body: { errorMessage } });
    }
    results.push({
      action: 'SKIPPED',
      resourceType: 'USER',
      resourceName: username,
      id: standing.id,
    });
  }
  const made = fresh.map((sent) => build({ state, realm, sent }));
  for (const user of made) {
    state.saveUser(user);
    results.push({
      action: 'ADDED',
      resourceType: 'USER',
      resourceName: user.username,
      id: user.id,
    });
  }
  return ok({
    overwritten: 0,
    added: made.length,
    skipped: results.length - made.length,
    results,
  });
}

function build(p: {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly sent: Json;
}) {
  const { realm, sent, state } = p;
  const username = String(sent['username'] ?? '').toLowerCase();
  const groups = ((sent['groups'] ?? []) as string[]).map((path) => {
    const id = groupByPath({ state, realm: realm.realm, path });
    if (id === null) throw unknownError();
    return id;
  });
  const fresh = newUser({ state, realm, username });
  return {
    ...fresh,
    // The id of the sender counts here, and here only; no default role is added.
    id: typeof sent['id'] === 'string' ? sent['id'] : fresh.id,
    roles: {},
    email: String(sent['email'] ?? '').toLowerCase(),
    firstName: String(sent['firstName'] ?? ''),
    lastName: String(sent['lastName'] ?? ''),
    enabled: sent['enabled'] === true,
    attributes: (sent['attributes'] ?? {}) as Record<string, string[]>,
    links: (sent['federatedIdentities'] ?? []) as LinkDoc[],
    groups,
  };
}
