/** What somebody does in a server by hand: calls past every connector. */

import type { Raw } from '../keycloak/admin-api.ts';
import { openRaw } from '../keycloak/admin-api.ts';
import type { Town } from './town.ts';

type Form = Readonly<Record<string, string | readonly string[]>>;

function encode(form: Form): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    for (const one of typeof value === 'string' ? [value] : value) body.append(name, one);
  }
  return body;
}

export function keycloakOf(town: Town): Raw {
  const { keycloak } = town.addresses;
  return openRaw({ server: keycloak, realm: 'skole' });
}

/** The admin API; throws for every answer that is not a success. */
export async function inKeycloak(p: {
  readonly town: Town;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}): Promise<{ readonly body: unknown; readonly id: string }> {
  const answer = await keycloakOf(p.town).call(p.method, p.path, p.body);
  if (answer.status >= 300) {
    throw new Error(`${p.method} ${p.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return answer;
}

/** An OCS or index.php call of the administrator; throws for every answer that is not a success. */
export async function inNextcloud(p: {
  readonly town: Town;
  readonly method: string;
  readonly path: string;
  readonly form?: Form;
}): Promise<unknown> {
  const { url, user, password } = p.town.addresses.nextcloud;
  const answer = await fetch(`${url}${p.path}${p.path.includes('?') ? '&' : '?'}format=json`, {
    method: p.method,
    headers: {
      authorization: `Basic ${btoa(`${user}:${password}`)}`,
      'ocs-apirequest': 'true',
      accept: 'application/json',
    },
    ...(p.form === undefined ? {} : { body: encode(p.form) }),
  });
  const text = await answer.text();
  const { ocs } = JSON.parse(text) as { ocs?: { meta: { statuscode: number }; data: unknown } };
  const code = ocs?.meta.statuscode ?? answer.status;
  if (code !== 200 && code !== 100) throw new Error(`${p.method} ${p.path}: ${text}`);
  return ocs?.data;
}

/** A web service call; throws for every answer that is an exception. */
export async function inMoodle(p: {
  readonly town: Town;
  readonly function: string;
  readonly form: Form;
}): Promise<unknown> {
  const { url, tokens } = p.town.addresses.moodle;
  const answer = await fetch(`${url}/webservice/rest/server.php`, {
    method: 'POST',
    body: encode({
      wstoken: tokens.school,
      wsfunction: p.function,
      moodlewsrestformat: 'json',
      ...p.form,
    }),
  });
  const body: unknown = await answer.json();
  if (typeof body === 'object' && body !== null && 'exception' in body) {
    throw new Error(`${p.function}: ${JSON.stringify(body)}`);
  }
  return body;
}

/** An account that stood in each server before Skolebus came; `username` may differ from the UNI-ID. */
export async function makeByHand(p: {
  readonly town: Town;
  readonly username: string;
  readonly uniId?: string;
  readonly email?: string;
}): Promise<void> {
  const { town, username } = p;
  await inKeycloak({
    town,
    method: 'POST',
    path: 'users',
    body: {
      username,
      firstName: 'Gammel',
      lastName: 'Konto',
      email: p.email ?? `${username}@gammel.example`,
      enabled: true,
      ...(p.uniId === undefined ? {} : { attributes: { uniId: [p.uniId] } }),
    },
  });
  await inNextcloud({
    town,
    method: 'POST',
    path: '/ocs/v2.php/cloud/users',
    form: { userid: username, password: 'Kurre-Kaninhop-88', displayName: 'Gammel Konto' },
  });
  await inMoodle({
    town,
    function: 'core_user_create_users',
    form: {
      'users[0][username]': username,
      'users[0][firstname]': 'Gammel',
      'users[0][lastname]': 'Konto',
      'users[0][email]': p.email ?? `${username}@gammel.example`,
      'users[0][auth]': 'manual',
      'users[0][password]': 'Kurre-Kaninhop-88',
    },
  });
}
