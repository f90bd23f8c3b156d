import { createRandom } from '../../generator/random.ts';
import { type Answer, type Ask, answerHtml, jsonType } from './exchange.ts';
import type { Fault, FaultHook } from './fault.ts';

interface Misbehaviour {
  readonly name: string;
  readonly strikes: (ask: Ask) => boolean;
  readonly fault: Fault;
}

const creates = (ask: Ask) => ask.method === 'POST' && ask.path.endsWith('/cloud/users');
const createsAccount = (ask: Ask) =>
  creates(ask) || (ask.method === 'POST' && ask.path.endsWith('/user_oidc/api/v1/user'));
const writesFolderGroup = (ask: Ask) =>
  ask.method === 'POST' && /\/folders\/\d+\/(?:groups|manageACL)$/.test(ask.path);
const writes = (ask: Ask) => ask.method !== 'GET' && ask.method !== 'PROPFIND';
const isOcsWrite = (ask: Ask) => writes(ask) && !ask.path.startsWith('/remote.php/');
const always = () => true;

function ocs(status: number, code: number, message: string): Answer {
  const body = { ocs: { meta: { status: 'failure', statuscode: code, message }, data: [] } };
  return { status, headers: { 'Content-Type': jsonType }, body: JSON.stringify(body) };
}

const duplicateKey: Answer = {
  status: 500,
  statusLine: 'HTTP/1.1 1062 Unknown',
  headers: { 'Content-Type': jsonType },
  body: JSON.stringify({ message: 'SQLSTATE[23000]: Integrity constraint violation: 1062' }),
};

/**
 * Every misbehaviour that was seen on a real server or is to be expected before one, by name. What names
 * a recording stands in it; the rest is in the reference (targets §4).
 */
const misbehaviours = [
  /** 4 creates in parallel on MariaDB without Redis locking: the row is there, nothing else is. */
  { name: 'half-made-user', strikes: createsAccount, fault: { kind: 'break-off' } },
  /** The loser of a race for one id: nothing was made by this request. */
  {
    name: 'race-101',
    strikes: creates,
    fault: { kind: 'answer', answer: ocs(400, 101, 'Bad request') },
  },
  /** recordings 34.0.1/25 and 29.0.1/17: a database error number as HTTP status. */
  {
    name: 'status-1062',
    strikes: writesFolderGroup,
    fault: { kind: 'answer', answer: duplicateKey },
  },
  /** recording 34.0.1/30: Team folders in maintenance. */
  {
    name: 'unavailable-retry-after',
    strikes: always,
    fault: {
      kind: 'answer',
      answer: answerHtml(503, { 'X-Nextcloud-Maintenance-Mode': '1', 'Retry-After': '120' }),
    },
  },
  /** A proxy that counts requests (RFC 6585 §4); not seen on a bare server. */
  {
    name: 'too-many-requests',
    strikes: always,
    fault: { kind: 'answer', answer: answerHtml(429, { 'Retry-After': '60' }) },
  },
  /** A proxy whose backend is away. */
  {
    name: 'unavailable-html',
    strikes: always,
    fault: { kind: 'answer', answer: answerHtml(503) },
  },
  {
    name: 'bad-gateway',
    strikes: always,
    fault: { kind: 'answer', answer: answerHtml(502) },
  },
  /** recording 34.0.1/07: an exception, after which the account may stand or not. */
  {
    name: 'crash-996',
    strikes: createsAccount,
    fault: { kind: 'answer', answer: ocs(500, 996, 'Internal Server Error\n') },
  },
  /** recording 34.0.1/20: the half hour of the password confirmation is over. */
  {
    name: 'confirmation-expired',
    strikes: isOcsWrite,
    fault: { kind: 'answer', answer: ocs(403, 403, 'Password confirmation is required') },
  },
  { name: 'reset-before', strikes: always, fault: { kind: 'reset', when: 'before' } },
  { name: 'reset-after', strikes: always, fault: { kind: 'reset', when: 'after' } },
] as const satisfies readonly Misbehaviour[];

export type FaultName = (typeof misbehaviours)[number]['name'];

export const faultNames: readonly FaultName[] = misbehaviours.map((one) => one.name);

export interface RandomFaults {
  readonly hook: FaultHook;
  /** How often each has struck so far. */
  readonly struck: ReadonlyMap<FaultName, number>;
}

/**
 * Every misbehaviour with the same chance for each request that it can strike; the same seed and the
 * same requests in the same order give the same faults.
 *
 * @param p.rate chance of each, 0 to 1
 * @param p.names only these; all when left out
 */
export function randomFaults(p: {
  readonly rate: number;
  readonly seed: number;
  readonly names?: readonly FaultName[];
}): RandomFaults {
  const random = createRandom(p.seed);
  const names: readonly string[] = p.names ?? faultNames;
  const chosen = misbehaviours.filter((one) => names.includes(one.name));
  const struck = new Map<FaultName, number>();
  const hook: FaultHook = (ask) => {
    for (const { name, strikes, fault } of chosen) {
      if (!strikes(ask) || !random.chance(p.rate)) continue;
      struck.set(name, (struck.get(name) ?? 0) + 1);
      return fault;
    }
    return null;
  };
  return { hook, struck };
}

/**
 * Team folders grow slower with their number (0.9 s a create at 500 folders, 3 s at 2,000: reference
 * peers §2.8), here a thousandth of it: so many milliseconds for each hundred creates so far.
 */
export function slowGrowth(p: { readonly millisecondsPerHundred: number }): FaultHook {
  let made = 0;
  return (ask) => {
    if (ask.method !== 'POST' || !ask.path.endsWith('/folders')) return null;
    made += 1;
    const milliseconds = Math.floor(made / 100) * p.millisecondsPerHundred;
    return milliseconds === 0 ? null : { kind: 'delay', milliseconds };
  };
}
