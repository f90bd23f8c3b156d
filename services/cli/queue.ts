import type { Brake } from '../../provisioning/ledger/brake.ts';
import { everyTenant, liftBrake, setBrake } from '../../provisioning/ledger/brake.ts';
import { hurryPerson } from '../../provisioning/ledger/hurry.ts';
import { readQueue, setWeight } from '../../provisioning/ledger/queue-view.ts';
import { findPerson } from '../../provisioning/plan/find-person.ts';
import type { Lane } from '../../provisioning/policy/lane.ts';
import { calendarOf, openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { forecastQueue } from '../worker/forecast.ts';
import { openVoice, table } from './output.ts';
import { printJson } from './sync.ts';
import { UsageError } from './usage.ts';
import { whoAmI } from './who.ts';

interface Place {
  readonly home: string;
  readonly target: string | null;
  readonly lane: Lane | null;
  readonly everyTenant: boolean;
  readonly json: boolean;
}

export async function runQueueShow(p: {
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const view = await readQueue(context);
  const calendar = calendarOf(context);
  const forecast = forecastQueue({ view, calendar, now: new Date() });
  if (p.json) {
    printJson({ ...view, ...forecast });
    return 0;
  }
  const voice = openVoice(p);
  const rates = new Map(view.rates.map((rate) => [rate.target, rate.rowsPerSecond]));
  const rows = forecast.lanes.map((one) => [
    one.target,
    one.lane,
    String(one.due),
    `${Math.round(one.oldestSeconds)} s`,
    rates.has(one.target) ? `${(rates.get(one.target) ?? 0).toFixed(1)}/s` : '-',
    one.opensAt?.toISOString() ?? '-',
    one.doneAt?.toISOString() ?? '-',
  ]);
  if (rows.length === 0) voice.say('Nothing is due.');
  else
    voice.say(
      table([['target', 'lane', 'due', 'oldest', 'pace', 'waits until', 'done at'], ...rows]),
    );
  if (forecast.calm !== null) {
    const { windows, until } = forecast.calm;
    voice.say(
      `Calm: ${windows.join(', ')}${until === null ? '' : ` until ${until.toISOString()}`}.`,
    );
  }
  for (const circuit of view.circuits) {
    voice.say(
      `${circuit.target} is left alone until ${circuit.probeAt.toISOString()} (${circuit.cause}).`,
    );
  }
  for (const brake of view.brakes) voice.say(describeBrake(brake));
  return 0;
}

function describeBrake(brake: Brake): string {
  const where = `${brake.target ?? 'all targets'}, ${brake.lane ?? 'all lanes'}`;
  const whose = brake.tenant === everyTenant ? ' of every tenant' : '';
  const until = brake.until === null ? '' : ` until ${brake.until.toISOString()}`;
  return `${brake.kind} of ${where}${whose}${until}, by ${brake.by}: ${brake.reason}`;
}

export async function runStop(
  p: Place & {
    readonly kind: Brake['kind'];
    readonly reason: string;
    readonly until: string | null;
  },
): Promise<number> {
  const until = p.until === null ? null : new Date(p.until);
  if (until !== null && !(until.getTime() > Date.now())) {
    throw new UsageError('Write --until as a time to come, such as 2026-11-28T06:00:00+01:00.');
  }
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  requireTarget({ target: p.target, known: [...context.connectors.keys()] });
  const { target, lane, kind, reason } = p;
  const brake = { target, lane, kind, reason, until, by: whoAmI() };
  await setBrake({ ...context, tenant: tenantOf({ ...p, context }), brake });
  if (p.json) printJson({ brakes: (await readQueue(context)).brakes });
  openVoice(p).say('Set. "skolebus queue resume" with the same --target and --lane lifts it.');
  return 0;
}

export async function runResume(p: Place): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const lifted = await liftBrake({ ...p, ...context, tenant: tenantOf({ ...p, context }) });
  const { brakes } = await readQueue(context);
  if (p.json) printJson({ lifted, brakes });
  const voice = openVoice(p);
  voice.say(lifted > 0 ? 'Lifted.' : 'Nothing was set for exactly this place.');
  for (const brake of brakes) voice.say(`Still set: ${describeBrake(brake)}`);
  return lifted > 0 ? 0 : 1;
}

export async function runWeight(p: {
  readonly home: string;
  readonly weight: number;
}): Promise<number> {
  if (!(p.weight >= 0.01 && p.weight <= 100)) {
    throw new UsageError('The weight is a number from 0.01 to 100.');
  }
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  await setWeight({ ...context, weight: p.weight });
  openVoice({ json: false }).say('Set; it counts from the next turn on.');
  return 0;
}

export async function runHurry(p: {
  readonly home: string;
  readonly person: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const { database, tenant } = context;
  const person = await database.as(tenant, (tx) => findPerson({ tx, text: p.person }));
  const hurried = await hurryPerson({ database, tenant, person });
  if (p.json) printJson({ person, hurried });
  openVoice(p).say(
    hurried === 0
      ? 'Nothing of this person is due: "skolebus explain" says how it stands.'
      : `${hurried} resources go before everything else now, with what they need.`,
  );
  return 0;
}

function tenantOf(p: {
  readonly everyTenant: boolean;
  readonly context: { readonly tenant: string };
}): string {
  return p.everyTenant ? everyTenant : p.context.tenant;
}

function requireTarget(p: {
  readonly target: string | null;
  readonly known: readonly string[];
}): void {
  if (p.target === null || p.known.includes(p.target)) return;
  throw new UsageError(`There is no target ${p.target}. There are: ${p.known.join(', ')}.`);
}
