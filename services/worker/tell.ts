import type { Logger } from 'pino';
import type { Lane } from '../../provisioning/policy/lane.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import type { TurnReport } from './drain.ts';
import type { CalmOf, Conditions } from './gate.ts';

/** What an operator wants to see of a turn. Lines carry ids, counts and codes. */
export function tellTurn(p: {
  readonly logger: Logger;
  readonly tenant: string;
  readonly target: string;
  readonly lane: Lane;
  readonly turn: TurnReport;
}): void {
  const { logger, turn, ...place } = p;
  const { codes, more } = turn;
  const rows = Object.values(codes).reduce((sum, count) => sum + count, 0);
  const facts = { ...place, rows, outcomes: codes, ms: Math.round(turn.ms), more };
  if (rows === 0) logger.debug(facts, 'turn without work');
  else logger.info(facts, 'turn');
  const poison = codes['poison-row'] ?? 0;
  if (poison > 0)
    logger.warn({ ...place, rows: poison }, 'rows set aside: a connector fails on them');
}

/** What it is called, how bad it is, and where it holds. */
type Seen = ReadonlyMap<string, readonly [what: string, level: 'info' | 'warn', facts: object]>;

/**
 * Tells what came and went of what holds work up: brakes, circuits, calm windows; each once, whoever set
 * it and in whichever process. The reason of a brake and who set it are free text, and stay in the
 * database.
 */
export function watchConditions(
  logger: Logger,
): (p: {
  readonly tenant: string;
  readonly conditions: Conditions;
  readonly calmOf: CalmOf;
}) => void {
  const before = new Map<string, Seen>();
  return ({ tenant, conditions, calmOf }) => {
    const now = new Map([
      ...brakesOf(conditions),
      ...circuitsOf(conditions),
      ...windowsOf({ conditions, calmOf }),
    ]);
    const was = before.get(tenant) ?? new Map();
    before.set(tenant, now);
    for (const [key, [what, level, facts]] of now) {
      if (!was.has(key)) logger[level]({ tenant, ...facts }, `${what} began`);
    }
    for (const [key, [what, , facts]] of was) {
      if (!now.has(key)) logger.info({ tenant, ...facts }, `${what} ended`);
    }
  };
}

function brakesOf(conditions: Conditions): Seen {
  return new Map(
    conditions.brakes.map(({ id, target, lane, kind, until }) => [
      `brake ${id}`,
      ['brake', 'warn', { kind, target, lane, until }],
    ]),
  );
}

function circuitsOf(conditions: Conditions): Seen {
  return new Map(
    [...conditions.circuits].map(([target, { cause }]) => [
      `circuit ${target}`,
      ['open circuit', 'warn', { target, cause }],
    ]),
  );
}

function windowsOf(p: { readonly conditions: Conditions; readonly calmOf: CalmOf }): Seen {
  const at = p.conditions.now;
  const shut = lanes.filter((lane) => !p.calmOf({ lane, at }).open);
  return new Map(shut.map((lane) => [`calm ${lane}`, ['calm window', 'info', { lane }]]));
}
