import { availableParallelism } from 'node:os';
import type { Connector } from '../../provisioning/target/contract.ts';
import type { KeycloakConnection } from '../../provisioning/target/keycloak/connector.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import type { KeycloakSession } from '../../provisioning/target/keycloak/session.ts';
import { openSession } from '../../provisioning/target/keycloak/session.ts';
import { ConfigError, readTargets } from '../config.ts';
import { openContext } from '../context.ts';
import type { Capacity } from '../drill/capacity.ts';
import { judgeCapacity, wentWell } from '../drill/capacity.ts';
import { describeCapacity, describeWave, phaseRows, ratioRows } from '../drill/describe.ts';
import type { RoundReport } from '../drill/drill.ts';
import { runDrill, shownBy } from '../drill/drill.ts';
import { countHeads } from '../drill/heads.ts';
import { removeLoadGroups } from '../drill/load.ts';
import {
  applications,
  lookAround,
  passwordFor,
  preparePeople,
  redirectUri,
  removeApplications,
  removePeople,
} from '../drill/people.ts';
import { drillPrefix, peopleFor, refuseOrder, refuseRealm } from '../drill/realm-guard.ts';
import { readEnvironment } from '../env.ts';
import { openVoice, table, type Voice } from './output.ts';
import { printJson } from './sync.ts';
import { UsageError } from './usage.ts';

export interface DrillOptions {
  readonly home: string;
  readonly target: string;
  /** Sign-ins per second. */
  readonly rate: number;
  /** Seconds, as all of the three. */
  readonly ramp: number;
  readonly hold: number;
  readonly warmUp: number;
  readonly people: number;
  readonly seed: number;
  readonly rounds: number;
  readonly returnShare: number;
  readonly withLoad: boolean;
  /** The load as it runs outside of school hours. */
  readonly fullSpeed: boolean;
  /** Null: those of the home's roster. */
  readonly heads: number | null;
  /** Null: those of this machine, where the server runs on it. */
  readonly serverCores: number | null;
  readonly prepare: boolean;
  readonly clean: boolean;
  readonly thisIsProduction: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

interface Opened extends DrillOptions {
  readonly connection: KeycloakConnection;
  readonly session: KeycloakSession;
  readonly connector: Connector;
  readonly password: string;
  readonly voice: Voice;
}

/** Per request of a made-up browser. */
const timeoutMs = 30_000;

/**
 * `skolebus drill`: the bell, rehearsed. Returns the exit code: 1 when a wave did not go well, or when
 * the server is not enough.
 *
 * @throws UsageError for a server, a realm or a size that a drill must not have
 */
export async function runDrillCommand(p: DrillOptions): Promise<number> {
  if (p.prepare && p.clean) throw new UsageError('--prepare or --clean, not both.');
  const tooMuch = refuseOrder({ ...p, waves: (p.withLoad ? 2 : 1) * p.rounds });
  if (tooMuch !== null) throw new UsageError(tooMuch);
  const connection = await readConnection(p);
  const session = openSession(connection);
  const found = await lookAround({ session, onlyOurs: p.thisIsProduction });
  const refusal = refuseRealm({ ...p, ...found, realm: session.realm });
  if (refusal !== null) throw new UsageError(refusal);

  await using connector = connectKeycloak(connection);
  const password = passwordFor(connection);
  const opened = { ...p, connection, session, connector, password, voice: openVoice(p) };
  if (p.prepare) return await prepare(opened);
  if (p.clean) return await clean(opened);
  const least = peopleFor(p.rate);
  if (found.people.length >= least) return await rehearse(opened, found.people);
  throw new UsageError(
    `${found.people.length} people are ready, and ${p.rate} sign-ins/s need ${least}, so that nobody is at two places at once. Run first: skolebus drill --prepare --people ${least}`,
  );
}

/** Only a server that targets.yaml names; the stand-in has no login pages. */
async function readConnection(p: DrillOptions): Promise<KeycloakConnection> {
  const targets = await readTargets(p.home);
  if (targets === null) {
    throw new UsageError(
      `drill needs a real Keycloak: the stand-in of ${p.home} has no login pages. Name a test realm in ${p.home}/targets.yaml (docs/drill.md).`,
    );
  }
  const target = targets.find((one) => one.name === p.target);
  if (target?.type !== 'keycloak') {
    throw new UsageError(
      `drill needs a real Keycloak: ${p.target} is none in ${p.home}/targets.yaml.`,
    );
  }
  const clientSecret = readEnvironment().secret(target.clientSecretEnv);
  if (clientSecret === null) {
    throw new ConfigError(`The environment variable ${target.clientSecretEnv} is not set.`);
  }
  const { clientId, name, realm, url } = target;
  return { name, url: url.replace(/\/+$/, ''), realm, credentials: { clientId, clientSecret } };
}

async function prepare(p: Opened): Promise<number> {
  const { made } = await preparePeople({ ...p, count: p.people });
  if (p.json) printJson({ made });
  p.voice.say(`${made} people made. When the drill is over: skolebus drill --clean`);
  return 0;
}

async function clean(p: Opened): Promise<number> {
  const { left, removed } = await removePeople({ ...p, prefix: drillPrefix });
  await removeLoadGroups(p.connector);
  await removeApplications(p.session);
  if (p.json) printJson({ removed, left });
  p.voice.say(`${removed} people of drills removed.`);
  if (left > 0) p.voice.say(`${left} users have such a name, but no drill made them: they stay.`);
  return 0;
}

async function rehearse(p: Opened, people: readonly string[]): Promise<number> {
  const { voice } = p;
  const heads = p.heads ?? (await readHeads(p.home));
  const { realm, url } = p.connection;
  voice.say(
    `${p.rate} sign-ins/s at ${url}, realm ${realm}: ${p.ramp} s up, ${p.hold} s held, ${people.length} people, seed ${p.seed}.`,
  );
  const { ratios, waves } = await runDrill({
    ...p,
    people,
    shape: p,
    manner: p.fullSpeed ? 'full' : 'gentle',
    site: {
      realm: `${url}/realms/${encodeURIComponent(realm)}`,
      applications,
      redirectUri,
      timeoutMs,
    },
    onWave: (wave) => voice.say(`${describeWave(wave)}\n${table(phaseRows(wave.phases))}`),
  });
  const { capacity, missing } = judge({ ...p, heads, waves });
  if (ratios.length > 0) voice.say(table(ratioRows(ratios)));
  voice.say(capacity === null ? missing : describeCapacity(capacity));
  if (p.json) printJson({ waves, ratios, capacity });
  const bad = waves.length === 0 || waves.some((wave) => !isGood(wave));
  return bad || capacity?.answer === 'not-enough' ? 1 : 0;
}

function isGood(wave: RoundReport): boolean {
  const shown = shownBy({ waves: [{ ...wave, load: null }], cores: 1, here: false });
  return shown !== null && wentWell(shown);
}

function judge(p: Opened & { readonly heads: number; readonly waves: readonly RoundReport[] }): {
  readonly capacity: Capacity | null;
  readonly missing: string;
} {
  const here = isHere(p.connection.url);
  const cores = p.serverCores ?? (here ? availableParallelism() : null);
  const unknown = (missing: string) => ({ capacity: null, missing });
  if (p.heads === 0) return unknown('Capacity: say how many people sign in, with --heads.');
  if (cores === null) return unknown('Capacity: say --server-cores.');
  const shown = shownBy({ waves: p.waves, cores, here });
  if (shown === null) return unknown('Capacity: no wave came to its end.');
  return { capacity: judgeCapacity({ heads: p.heads, shown }), missing: '' };
}

function isHere(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

async function readHeads(home: string): Promise<number> {
  await using context = await openContext({ home, environment: readEnvironment() });
  return await countHeads(context);
}
