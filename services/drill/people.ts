/** The made-up people of a drill and the two applications that they sign in to. */

import { createHmac } from 'node:crypto';
import type UserRepresentation from '@keycloak/keycloak-admin-client/lib/defs/userRepresentation.js';
import pLimit from 'p-limit';
import type { Connector, Work } from '../../provisioning/target/contract.ts';
import type { KeycloakConnection } from '../../provisioning/target/keycloak/connector.ts';
import { judgeFailure, statusOf } from '../../provisioning/target/keycloak/failure.ts';
import { markAttribute, markOf } from '../../provisioning/target/keycloak/mark.ts';
import type { KeycloakSession } from '../../provisioning/target/keycloak/session.ts';
import { hashStartPassword } from '../../provisioning/target/keycloak/start-password.ts';
import { drillPrefix, isDrillPerson, markFor, usernameOf } from './realm-guard.ts';

export const applications = ['skolebus-drill-1', 'skolebus-drill-2'] as const;
/** Port 9 is "discard": nothing listens, and no browser of a drill goes there. */
export const redirectUri = 'http://127.0.0.1:9/skolebus-drill';
/** Client attribute of an application that a drill made. */
const clientMark = 'skolebus.drill';

/** A drill cannot go on; the message says what to do. */
export class DrillError extends Error {
  override readonly name = 'DrillError';
  readonly code: 'no-answer' | 'not-ours' | 'not-prepared' | 'no-right' | 'delete-failed';

  constructor(p: { readonly code: DrillError['code']; readonly message: string }) {
    super(p.message);
    this.code = p.code;
  }
}

/**
 * One password for all people of a drill in one realm. It follows from the secret with which we may do
 * anything there, so that nothing is kept and nobody gains by guessing.
 */
export function passwordFor(p: Pick<KeycloakConnection, 'credentials' | 'realm'>): string {
  const { credentials, realm } = p;
  const secret = 'user' in credentials ? credentials.password : credentials.clientSecret;
  return createHmac('sha256', secret).update(`skolebus drill\0${realm}`).digest('base64url');
}

export interface Found {
  /** Usernames of those who sign in, in order. */
  readonly people: readonly string[];
  /** People that no drill made; 0 where they were not looked for. */
  readonly others: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/**
 * The first look at the realm. With `onlyOurs` it is searched for our prefix; otherwise the whole realm
 * is read until the first person who is none of ours.
 *
 * @throws DrillError `no-answer`
 */
export async function lookAround(p: {
  readonly session: KeycloakSession;
  readonly onlyOurs: boolean;
}): Promise<Found> {
  const { call, client, realm } = p.session;
  try {
    const stands = await call(() => client.realms.findOne({ realm }));
    return { ...(await findPeople(p)), attributes: stands?.attributes ?? {} };
  } catch (error) {
    const outcome = judgeFailure(error);
    if (outcome.state === 'applied') throw error;
    throw new DrillError({ code: 'no-answer', message: outcome.detail });
  }
}

async function findPeople(p: {
  readonly session: KeycloakSession;
  readonly onlyOurs: boolean;
}): Promise<Omit<Found, 'attributes'>> {
  const { call, client } = p.session;
  const people: string[] = [];
  const size = 500;
  const only = p.onlyOurs ? { username: drillPrefix } : {};
  for (let first = 0; ; first += size) {
    const query = { first, max: size, briefRepresentation: true, ...only };
    const page = await call(() => client.users.find(query));
    const names = page.map((user) => user.username ?? '');
    people.push(...names.filter(isDrillPerson));
    const others = p.onlyOurs ? 0 : names.filter((one) => !one.startsWith(drillPrefix)).length;
    if (others > 0 || page.length < size) return { people: people.sort(), others };
  }
}

/**
 * Makes the realm ready and brings the people up to `count`; who stands already stays as is. Needs the
 * rights of `prepare`, and manage-clients.
 *
 * @throws DrillError `not-ours` when somebody else has such a username or client id, `no-right`
 */
export async function preparePeople(p: {
  readonly session: KeycloakSession;
  readonly connector: Connector;
  readonly password: string;
  readonly count: number;
}): Promise<{ readonly made: number }> {
  const { count, session } = p;
  await p.connector.prepare();
  await explainRights(() => prepareApplications(session));
  const stand = new Set((await readOurs(session)).map((user) => user.username));
  // Hashed once, with Keycloak's own parameters: the server hashes at the sign-in as for anybody else.
  const credential = await hashStartPassword({ password: p.password, change: false });
  const limit = pLimit(8);
  const missing = Array.from({ length: count }, (_, n) => usernameOf(n + 1)).filter(
    (username) => !stand.has(username),
  );
  await Promise.all(
    missing.map((username) =>
      limit(() =>
        session.call(() =>
          session.client.users.create({
            username,
            email: `${username}@example.test`,
            firstName: 'Drill',
            lastName: username,
            enabled: true,
            attributes: { [markAttribute]: [markFor(username)] },
            credentials: [{ ...credential, userLabel: 'drill' }],
          }),
        ),
      ),
    ),
  );
  return { made: missing.length };
}

/** Removes the applications of a drill. */
export async function removeApplications(session: KeycloakSession): Promise<void> {
  const { call, client } = session;
  await explainRights(async () => {
    for (const clientId of applications) {
      const [stands] = await call(() => client.clients.find({ clientId }));
      if (stands?.attributes?.[clientMark] !== 'true') continue;
      await call(() => client.clients.del({ id: String(stands.id) }));
    }
  });
}

/**
 * Removes the people that drills made whose names begin so, and nobody else: the connector looks at the
 * mark of each once more. `left` bear such a name without having been made by a drill.
 */
export async function removePeople(p: {
  readonly session: KeycloakSession;
  readonly connector: Connector;
  readonly prefix: string;
}): Promise<{ readonly removed: number; readonly left: number }> {
  const all = await readAll(p);
  const ours = all.filter(isOurs);
  await removeRows({ connector: p.connector, rows: ours.map(deletionOf) });
  return { removed: ours.length, left: all.length - ours.length };
}

/** Applies deletions in the connector's own batches. @throws DrillError `delete-failed` */
export async function removeRows(p: {
  readonly connector: Connector;
  readonly rows: readonly Work[];
}): Promise<void> {
  let waiting = p.rows;
  for (let round = 0; round < 3 && waiting.length > 0; round += 1) {
    const left: Work[] = [];
    for (let at = 0; at < waiting.length; at += 100) {
      const batch = waiting.slice(at, at + 100);
      const outcomes = await p.connector.apply({ batch, externalIds: async () => new Map() });
      left.push(...batch.filter((_, index) => outcomes[index]?.state !== 'applied'));
    }
    waiting = left;
  }
  if (waiting.length === 0) return;
  throw new DrillError({
    code: 'delete-failed',
    message: `${waiting.length} of ${p.rows.length} things that a drill made could not be removed. Run drill --clean again.`,
  });
}

function deletionOf(user: UserRepresentation): Work {
  const key = markFor(String(user.username));
  return {
    kind: 'account',
    key,
    desired: null,
    applied: null,
    externalId: String(user.id),
    attempts: 0,
  };
}

function isOurs(user: UserRepresentation): boolean {
  return user.username?.startsWith(drillPrefix) === true && markOf(user) === markFor(user.username);
}

/** Everybody whose name begins so, marks included. The server finds it anywhere in a name. */
async function readAll(p: {
  readonly session: KeycloakSession;
  readonly prefix: string;
}): Promise<readonly UserRepresentation[]> {
  const { prefix, session } = p;
  const found: UserRepresentation[] = [];
  const size = 500;
  for (let first = 0; ; first += size) {
    const query = { first, max: size, username: prefix, briefRepresentation: false };
    const page = await session.call(() => session.client.users.find(query));
    found.push(...page.filter((user) => user.username?.startsWith(prefix) === true));
    if (page.length < size) return found;
  }
}

async function readOurs(session: KeycloakSession): Promise<readonly UserRepresentation[]> {
  const all = await readAll({ session, prefix: drillPrefix });
  const foreign = all.filter((user) => !isOurs(user)).length;
  if (foreign === 0) return all;
  throw new DrillError({
    code: 'not-ours',
    message: `${foreign} users have a name that begins with ${drillPrefix}, but no drill made them. Rename them, or use another realm.`,
  });
}

async function prepareApplications(session: KeycloakSession): Promise<void> {
  const { call, client } = session;
  for (const clientId of applications) {
    const [stands] = await call(() => client.clients.find({ clientId }));
    if (stands === undefined) {
      await call(() =>
        client.clients.create({
          clientId,
          name: 'Skolebus drill',
          enabled: true,
          publicClient: true,
          standardFlowEnabled: true,
          directAccessGrantsEnabled: false,
          fullScopeAllowed: false,
          redirectUris: [redirectUri],
          attributes: { 'pkce.code.challenge.method': 'S256', [clientMark]: 'true' },
        }),
      );
    } else if (stands.attributes?.[clientMark] !== 'true') {
      throw new DrillError({
        code: 'not-ours',
        message: `The realm has a client ${clientId} that no drill made. Use another realm.`,
      });
    }
  }
}

async function explainRights<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
    throw new DrillError({
      code: 'no-right',
      message:
        "Keycloak refused the drill's applications: give our account the realm-management role manage-clients.",
    });
  }
}
