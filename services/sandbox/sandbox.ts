import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Documents } from './documents.ts';
import { openDocuments } from './documents.ts';
import { everyFault } from './keycloak/fault.ts';
import { startKeycloakStandIn } from './keycloak/stand-in.ts';
import { randomFaults as moodleFaultsAt } from './moodle/faults.ts';
import { startMoodleStandIn } from './moodle/stand-in.ts';
import { randomFaults as nextcloudFaultsAt } from './nextcloud/random-faults.ts';
import { startNextcloudStandIn } from './nextcloud/stand-in.ts';
import type { StandIn } from './stand-in.ts';

/** How to reach the three stand-ins; printed by `skolebus sandbox --json`. */
export interface SandboxAddresses {
  readonly keycloak: { readonly url: string; readonly user: string; readonly password: string };
  readonly nextcloud: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly appPassword: string;
  };
  readonly moodle: {
    readonly url: string;
    readonly tokens: {
      readonly school: string;
      readonly infoonly: string;
      readonly limited: string;
    };
  };
}

export interface Sandbox extends AsyncDisposable {
  readonly addresses: SandboxAddresses;
  /** How often each misbehaviour was thrown in so far, as `target/name`; empty without faults. */
  readonly struck: () => Readonly<Record<string, number>>;
  /** From here on the servers behave. */
  readonly calm: () => void;
}

/** Misbehaviour of every recorded kind, at a rate of the calls that it can befall; repeatable by its seed. */
export interface SandboxFaults {
  /** 0.01 is one per cent of each. */
  readonly rate: number;
  readonly seed: number;
}

interface Secrets {
  readonly keycloak: string;
  readonly nextcloud: string;
  readonly nextcloudApp: string;
  readonly moodle: { readonly school: string; readonly infoonly: string; readonly limited: string };
}

/**
 * Starts the three stand-ins on free loopback ports. With a folder they keep their state there from
 * one start to the next, and a second process that uses the same folder while the first still serves
 * is given the first one's addresses; without one they are empty and forget everything.
 */
export async function openSandbox(p: {
  readonly dir: string | null;
  readonly faults?: SandboxFaults | null;
}): Promise<Sandbox> {
  const faults = p.faults ?? null;
  if (p.dir === null) return startStandIns({ dir: null, secrets: makeSecrets(), faults });
  await mkdir(p.dir, { recursive: true, mode: 0o700 });
  const serving = await findServing(p.dir);
  if (serving !== null) {
    return {
      addresses: serving,
      struck: () => ({}),
      calm: () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const secrets = await keepSecrets(p.dir);
  const sandbox = await startStandIns({ dir: p.dir, secrets, faults });
  await installSignIn(sandbox.addresses);
  await writeJson(join(p.dir, 'serving.json'), { pid: process.pid, addresses: sandbox.addresses });
  return sandbox;
}

async function startStandIns(p: {
  readonly dir: string | null;
  readonly secrets: Secrets;
  readonly faults: SandboxFaults | null;
}): Promise<Sandbox> {
  const { dir, secrets } = p;
  const documents: Documents[] = [];
  function open(name: string): Documents {
    const opened = openDocuments({ file: dir === null ? null : join(dir, `${name}.sqlite`) });
    documents.push(opened);
    return opened;
  }
  const admin = { port: 0, user: 'admin' };
  const keycloak = await startKeycloakStandIn({
    ...admin,
    documents: open('keycloak'),
    password: secrets.keycloak,
  });
  const nextcloud = await startNextcloudStandIn({
    ...admin,
    documents: open('nextcloud'),
    password: secrets.nextcloud,
    appPassword: secrets.nextcloudApp,
  });
  const struck = new Map<string, number>();
  let calm = false;
  const moodleFaults = p.faults === null ? null : moodleFaultsAt(p.faults);
  const moodle = await startMoodleStandIn({
    port: 0,
    documents: open('moodle'),
    tokens: secrets.moodle,
    faults: (call) => (calm ? null : (moodleFaults?.faults(call) ?? null)),
  });
  const nextcloudFaults = p.faults === null ? null : nextcloudFaultsAt(p.faults);
  if (p.faults !== null) {
    nextcloud.setFaults(nextcloudFaults?.hook ?? null);
    keycloak.setFaults(
      everyFault({
        ...p.faults,
        onFault: (kind) =>
          struck.set(`keycloak/${kind}`, (struck.get(`keycloak/${kind}`) ?? 0) + 1),
      }),
    );
  }
  const standIns: readonly StandIn[] = [keycloak, nextcloud, moodle];
  return {
    addresses: {
      keycloak: { url: keycloak.url, user: 'admin', password: secrets.keycloak },
      nextcloud: {
        url: nextcloud.url,
        user: 'admin',
        password: secrets.nextcloud,
        appPassword: secrets.nextcloudApp,
      },
      moodle: { url: moodle.url, tokens: secrets.moodle },
    },
    struck: () => ({
      ...Object.fromEntries(struck),
      ...prefixed('nextcloud', nextcloudFaults?.struck),
      ...prefixed('moodle', moodleFaults?.thrown),
    }),
    calm: () => {
      calm = true;
      nextcloud.setFaults(null);
      keycloak.setFaults(null);
    },
    async [Symbol.asyncDispose]() {
      for (const standIn of standIns) await standIn[Symbol.asyncDispose]();
      for (const opened of documents) opened[Symbol.dispose]();
    },
  };
}

function prefixed(
  target: string,
  counts: ReadonlyMap<string, number> | undefined,
): Readonly<Record<string, number>> {
  return Object.fromEntries([...(counts ?? [])].map(([name, n]) => [`${target}/${name}`, n]));
}

/**
 * A municipality's Moodle has the sign-in plugin that the default policy names; the recorded one had
 * not, and a sandbox without a folder is as recorded.
 */
async function installSignIn({ moodle }: SandboxAddresses): Promise<void> {
  const answer = await fetch(`${moodle.url}/__sandbox/administration`, {
    method: 'POST',
    body: JSON.stringify({ do: 'install-auth', name: 'oidc' }),
  });
  if (!answer.ok) throw new Error(`The Moodle stand-in answered ${answer.status} to its set-up.`);
}

function makeSecrets(): Secrets {
  const secret = () => randomBytes(16).toString('hex');
  return {
    keycloak: secret(),
    nextcloud: secret(),
    nextcloudApp: secret(),
    moodle: { school: secret(), infoonly: secret(), limited: secret() },
  };
}

/** The same secrets at every start, so that a connector's configuration stays true. */
async function keepSecrets(dir: string): Promise<Secrets> {
  const file = join(dir, 'secrets.json');
  const kept = await readJson<Secrets>(file);
  if (kept !== null) return kept;
  const secrets = makeSecrets();
  await writeJson(file, secrets);
  return secrets;
}

async function findServing(dir: string): Promise<SandboxAddresses | null> {
  const serving = await readJson<{ pid: number; addresses: SandboxAddresses }>(
    join(dir, 'serving.json'),
  );
  if (serving === null || serving.pid === process.pid) return null;
  try {
    process.kill(serving.pid, 0);
    // The number may belong to another program by now: only an answer proves that they serve.
    const answer = await fetch(`${serving.addresses.nextcloud.url}/status.php`, {
      signal: AbortSignal.timeout(2000),
    });
    return answer.ok ? serving.addresses : null;
  } catch {
    return null;
  }
}

async function readJson<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Written whole or not at all, readable by the owner only. */
async function writeJson(file: string, value: unknown): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(value), { mode: 0o600 });
  await rename(draft, file);
}
