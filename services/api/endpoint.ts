import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import type { Rules } from '../../provisioning/ledger/replan.ts';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import type { TargetTypes } from '../../provisioning/policy/route.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { ProcessFigures } from '../metrics/process.ts';
import type { Queues } from '../worker/queues.ts';
import type { Gate, Role } from './access.ts';
import type { ProblemCode } from './problem.ts';
import type { SignedCookie } from './signed-cookie.ts';

/** What every endpoint works with. */
export interface ApiContext {
  readonly database: Database;
  readonly tenant: string;
  readonly queues: Queues | null;
  readonly targets: TargetTypes;
  readonly gate: Gate;
  /** What opens the board of the queues to a browser. */
  readonly boardPass: SignedCookie;
  /** Null where this process does not plan. */
  readonly rules: Rules | null;
  /** Null: there are no calm windows here. */
  readonly calendar: Calendar | null;
  /** Null where the process keeps none. */
  readonly figures: Pick<ProcessFigures, 'read'> | null;
  /** Wakes the worker; what it throws is logged, never answered: a sweep finds the work anyway. */
  readonly wake: () => Promise<void>;
}

/** One operation: its route, its guard and its entry in the OpenAPI document come from the same place. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'delete';
  /** As OpenAPI writes it, with `{name}` for parameters. */
  readonly path: string;
  /** Null: anyone may call it. */
  readonly role: Role | null;
  readonly id: string;
  readonly summary: string;
  readonly description: string | null;
  readonly params: z.ZodObject | null;
  readonly query: z.ZodObject | null;
  readonly headers: z.ZodObject | null;
  readonly body: z.ZodType | null;
  readonly answer: {
    readonly status: number;
    readonly type: string;
    readonly schema: z.ZodType | null;
  };
  readonly problems: readonly ProblemCode[];
  readonly makeHandler: (context: ApiContext) => RequestHandler;
}

const nothing = z.object({});
type Nothing = typeof nothing;

export interface Call<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Body extends z.ZodType,
> {
  readonly context: ApiContext;
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly headers: z.output<Headers>;
  readonly body: z.output<Body>;
  readonly request: Request;
  readonly response: Response;
}

/**
 * Declares an operation that answers JSON. The request is parsed by its schemas before `run` sees it;
 * what `run` returns is sent, and an error it throws becomes problem+json.
 */
export function defineEndpoint<
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Headers extends z.ZodObject = Nothing,
  Body extends z.ZodType = Nothing,
>(p: {
  readonly method: Endpoint['method'];
  readonly path: string;
  readonly role: Role | null;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly headers?: Headers;
  readonly body?: Body;
  readonly answer: Answer;
  readonly status?: number;
  readonly problems?: readonly ProblemCode[];
  readonly run: (call: Call<Params, Query, Headers, Body>) => Promise<z.input<Answer>>;
}): Endpoint {
  const status = p.status ?? 200;
  const parse = <T extends z.ZodType>(schema: T | undefined, value: unknown): z.output<T> =>
    (schema ?? nothing).parse(value ?? {}) as z.output<T>;
  return {
    ...toEndpoint(p),
    answer: { status, type: 'application/json', schema: p.answer },
    makeHandler: (context) => async (request, response) => {
      const answer = await p.run({
        context,
        params: parse(p.params, request.params),
        query: parse(p.query, request.query),
        headers: parse(p.headers, request.headers),
        body: parse(p.body, request.body),
        request,
        response,
      });
      if (status === 204) response.status(204).end();
      else response.status(status).json(answer);
    },
  };
}

/** Declares an operation that writes its own answer, of another type than JSON. */
export function defineRawEndpoint(p: {
  readonly method: Endpoint['method'];
  readonly path: string;
  readonly role: Role | null;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly type: string;
  readonly problems?: readonly ProblemCode[];
  readonly makeHandler: (context: ApiContext) => RequestHandler;
}): Endpoint {
  return {
    ...toEndpoint(p),
    answer: { status: 200, type: p.type, schema: null },
    makeHandler: p.makeHandler,
  };
}

function toEndpoint(p: {
  readonly method: Endpoint['method'];
  readonly path: string;
  readonly role: Role | null;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly problems?: readonly ProblemCode[];
}): Omit<Endpoint, 'answer' | 'makeHandler'> {
  return {
    method: p.method,
    path: p.path,
    role: p.role,
    id: p.id,
    summary: p.summary,
    description: p.description ?? null,
    params: p.params ?? null,
    query: p.query ?? null,
    headers: p.headers ?? null,
    body: p.body ?? null,
    problems: [
      ...(p.params || p.query || p.headers || p.body ? (['bad-request'] as const) : []),
      ...(p.role === null ? [] : (['unauthenticated', 'forbidden'] as const)),
      ...(p.problems ?? []),
    ],
  };
}
