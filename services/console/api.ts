import type { Change } from '../api/changes.ts';
import type { CommitReport, Committed } from '../api/commit.ts';
import type { Hold } from '../api/holds.ts';
import type { Institution } from '../api/institutions.ts';
import type { Explanation, Match } from '../api/people.ts';
import type { SummaryRow } from '../api/plans.ts';
import type { Policies, WrittenPolicy } from '../api/policy.ts';
import type { Problem } from '../api/problem.ts';
import type { Queue } from '../api/queue.ts';
import type { Readiness } from '../api/readiness.ts';
import type { Session } from '../api/session.ts';
import type { Plan } from '../api/shapes.ts';
import type { Snapshot } from '../api/snapshots.ts';
import type { Status } from '../api/status.ts';
import type { Weighed } from '../api/weigh.ts';
import { readAccessToken } from './keycloak.ts';

/** Why something was not done; `code` is the API's, or `unreachable`. */
export interface Refusal {
  readonly code: string;
  /** The API's own words, in English: they may name what the console's words cannot. */
  readonly detail: string | null;
  /** What the log of the server knows the request by. */
  readonly requestId: string | null;
}

/** An answer that is not the one hoped for. */
class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof AnswerError) return error.refusal;
  return { code: 'internal', detail: null, requestId: null };
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

type Query = Readonly<Record<string, string | number | null>>;

export async function request(p: {
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}): Promise<Response> {
  const token = await readAccessToken();
  const response = await fetch(`/api/v1${p.path}`, {
    method: p.method ?? 'GET',
    headers: {
      ...p.headers,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(p.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(p.body === undefined ? {} : { body: JSON.stringify(p.body) }),
    ...(p.signal === undefined ? {} : { signal: p.signal }),
  }).catch((cause: unknown) => {
    if (p.signal?.aborted) throw cause;
    throw new AnswerError({ code: 'unreachable', detail: null, requestId: null });
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => null)) as Problem | null;
  throw new AnswerError({
    code: problem?.code ?? 'internal',
    detail: problem?.detail ?? null,
    requestId: problem?.requestId ?? null,
  });
}

async function get<T>(path: string, query: Query = {}): Promise<T> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.size === 0 ? '' : `?${search}`;
  return (await (await request({ path: `${path}${text}` })).json()) as T;
}

export const readSession = () => get<Session>('/session');
export const readStatus = () => get<Status>('/status');
export const readSnapshots = () => get<Page<Snapshot>>('/snapshots', { limit: 20 });
export const readReadiness = () => get<Readiness>('/readiness');
export const readQueue = () => get<Queue>('/queue');
export const readInstitutions = () => get<Page<Institution>>('/institutions');
export const readPlan = (id: string) => get<Plan>(`/plans/${encodeURIComponent(id)}`);
export const readSummary = (id: string) =>
  get<Page<SummaryRow>>(`/plans/${encodeURIComponent(id)}/summary`);
export const readPlans = (cursor: string | null) =>
  get<Page<Plan>>('/plans', { limit: 20, cursor });

export function readChanges(p: {
  readonly planId: string;
  readonly filter: Query;
  readonly cursor: string | null;
}) {
  const path = `/plans/${encodeURIComponent(p.planId)}/changes`;
  return get<Page<Change>>(path, { ...p.filter, whole: 'true', cursor: p.cursor, limit: 100 });
}

/** Which part of a plan is meant; no list at all means the whole. */
export interface Selection {
  readonly institution?: readonly string[];
  readonly target?: readonly string[];
  readonly kind?: readonly string[];
  readonly action?: readonly string[];
  readonly seqs?: readonly number[];
  readonly except?: boolean;
}

interface Part {
  readonly id: string;
  readonly selection: Selection;
}

async function postPart<T>(p: Part & { readonly what: string; readonly key?: string }): Promise<T> {
  const { selection } = p;
  const whole = Object.keys(selection).length === 0;
  const response = await request({
    path: `/plans/${encodeURIComponent(p.id)}/${p.what}`,
    method: 'POST',
    body: whole ? {} : { selection },
    ...(p.key === undefined ? {} : { headers: { 'idempotency-key': p.key } }),
  });
  return (await response.json()) as T;
}

export const weighPlan = (p: Part) => postPart<Weighed>({ ...p, what: 'weigh' });

/** Doing it twice is as good as once, so that it takes no key. */
export const approvePlan = (p: Part) => postPart<unknown>({ ...p, what: 'approve' });

/** `key` stays the same for the same part, so that a repeated sending cannot act twice. */
export const commitPlan = (p: Part & { readonly key: string }) =>
  postPart<CommitReport>({ ...p, what: 'commit' });

export const readCommit = (id: string) => get<Committed>(`/plans/${encodeURIComponent(id)}/commit`);

/** Makes the inverse plan, in the place of the one that an earlier call has made. */
export async function undoPlan(id: string): Promise<Plan> {
  const path = `/plans/${encodeURIComponent(id)}/undo`;
  return (await (await request({ path, method: 'POST' })).json()) as Plan;
}

export const readPolicies = () => get<Policies>('/policy');
export const readPolicy = (version: string) =>
  get<WrittenPolicy>(`/policy/${encodeURIComponent(version)}`);

export const findPeople = (search: string) =>
  get<{ readonly items: readonly Match[]; readonly more: boolean }>('/people', { search });
export const readExplanation = (id: string) =>
  get<Explanation>(`/people/${encodeURIComponent(id)}/explanation`);

export const readHolds = (p: {
  readonly state: 'open' | 'decided';
  readonly cursor: string | null;
}) => get<Page<Hold>>('/holds', { ...p, limit: 50 });

/** `key` as for a commit. */
export async function decideHold(p: {
  readonly id: string;
  readonly key: string;
  readonly choice: string;
  readonly scope: 'once' | 'rule';
  readonly until: string | null;
}): Promise<void> {
  const { id, key, ...body } = p;
  const path = `/holds/${encodeURIComponent(id)}/decision`;
  await request({ path, method: 'POST', body, headers: { 'idempotency-key': key } });
}

export async function revokeDecision(id: string): Promise<void> {
  await request({ path: `/holds/${encodeURIComponent(id)}/decision`, method: 'DELETE' });
}

/** Unlike randomUUID, this is there on plain http too. */
export function makeKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16)).join('-');
}

/** Null: all targets. Doing it twice is as good as once. Answers with the queue as it is then. */
export const pauseTarget = (p: { readonly target: string | null; readonly reason: string }) =>
  post<Queue>('/brakes', { ...p, kind: 'pause' });

export const startAgain = (person: string) => post<unknown>('/start-again', { person });

/** Lifts what was set for exactly this place. */
export const releaseBrake = (place: Pick<Queue['brakes'][number], 'target' | 'lane'>) =>
  post<Queue>('/brakes/release', place);

async function post<T>(path: string, body: unknown): Promise<T> {
  return (await (await request({ path, method: 'POST', body })).json()) as T;
}

/** Lets this browser see the tickets at /queues for a while. */
export async function openQueueBoard(): Promise<void> {
  await request({ path: '/queue-board', method: 'POST' });
}

export const retryTarget = (name: string) =>
  post<{ readonly retried: number }>(`/targets/${encodeURIComponent(name)}/retry`, {});

export async function sendToken(token: string): Promise<void> {
  await request({ path: '/session', method: 'POST', body: { token } });
}

export async function endSession(): Promise<void> {
  await request({ path: '/session', method: 'DELETE' });
}
