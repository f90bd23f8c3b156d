import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, Response } from 'express';
import { z } from 'zod';
import { PersonError } from '../../provisioning/plan/find-person.ts';
import { HoldError } from '../../provisioning/plan/hold-inbox.ts';
import { PlanError } from '../../provisioning/plan/plan-error.ts';
import { SyncBusyError } from '../../provisioning/sync.ts';

/** Stable: callers may branch on them. The status of each is part of the contract too. */
export const problemStatus = {
  'bad-request': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'plan-unknown': 404,
  'target-unknown': 404,
  'hold-unknown': 404,
  'person-unknown': 404,
  'keep-unknown': 404,
  'method-not-allowed': 405,
  'plan-not-open': 409,
  'hold-not-open': 409,
  'hold-not-decided': 409,
  'plan-expired': 409,
  'plan-tampered': 409,
  'plan-needs-approval': 409,
  'plan-not-committed': 409,
  'undo-too-late': 409,
  'sync-busy': 409,
  'person-ambiguous': 409,
  'no-start-password': 409,
  'request-in-progress': 409,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'idempotency-key-reused': 422,
  'choice-unknown': 422,
  'until-invalid': 422,
  'institution-unknown': 422,
  internal: 500,
  'database-unavailable': 503,
} as const satisfies Readonly<Record<string, number>>;
export type ProblemCode = keyof typeof problemStatus;

/** RFC 9457, with our stable code. */
export const Problem = z
  .strictObject({
    type: z.string().meta({ description: '`urn:skolebus:problem:` and the code' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(problemStatus) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string(),
    requestId: z.string().optional().meta({ description: 'Stands in the log beside the cause' }),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'What is wrong with the request, without its values' }),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** Thrown by endpoints; `detail` is written for the caller and carries no personal values. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(p: {
    readonly code: ProblemCode;
    readonly detail: string;
    readonly headers?: Readonly<Record<string, string>>;
  }) {
    super(p.detail);
    this.code = p.code;
    this.headers = p.headers ?? {};
  }
}

export function makeProblem(p: {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: Problem['errors'];
}): Problem {
  const status = problemStatus[p.code];
  return {
    type: `urn:skolebus:problem:${p.code}`,
    title: STATUS_CODES[status] ?? p.code,
    status,
    code: p.code,
    detail: p.detail,
    ...(p.errors === undefined ? {} : { errors: p.errors }),
  };
}

export function sendProblem(p: { readonly response: Response; readonly problem: Problem }): void {
  const { id } = p.response.req;
  p.response
    .status(p.problem.status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...p.problem, ...(id === undefined ? {} : { requestId: String(id) }) }));
}

/** The one place where an error becomes an answer. What is not meant for the caller goes to the log only. */
export const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  if (error instanceof ApiError) response.set(error.headers);
  const problem = toProblem(error);
  // pino-http writes the cause beside the request's id.
  if (problem.status >= 500) response.err = error instanceof Error ? error : new Error('unknown');
  sendProblem({ response, problem });
};

function toProblem(error: unknown): Problem {
  if (error instanceof ApiError) return makeProblem({ code: error.code, detail: error.message });
  if (
    error instanceof PlanError ||
    error instanceof HoldError ||
    error instanceof PersonError ||
    error instanceof SyncBusyError
  ) {
    return makeProblem({ code: error.code, detail: error.message });
  }
  if (error instanceof z.ZodError) {
    return makeProblem({
      code: 'bad-request',
      detail: 'The request is not as the description at /api/v1/openapi.json says.',
      errors: error.issues.map((i) => ({ path: i.path.join('.'), message: i.message })),
    });
  }
  if (isUnreachable(error)) {
    return makeProblem({
      code: 'database-unavailable',
      detail: 'The database does not answer. Try again shortly.',
    });
  }
  switch (httpStatus(error)) {
    case 400:
      return makeProblem({ code: 'bad-request', detail: 'The request cannot be read.' });
    case 413:
      return makeProblem({ code: 'body-too-large', detail: 'The body is larger than 16 kB.' });
    case 415:
      return makeProblem({
        code: 'unsupported-media-type',
        detail: 'Send the body as application/json in UTF-8.',
      });
    default:
      return makeProblem({
        code: 'internal',
        detail: 'Something went wrong here. The log has the cause under the requestId.',
      });
  }
}

/** The status that Express's router and body parser put on errors of their own. */
function httpStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !('status' in error)) return null;
  return typeof error.status === 'number' ? error.status : null;
}

/** No connection, or the server is going down or coming up (SQLSTATE classes 08 and 57P). */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|08...|57P0.)$/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect/.test(error.message)
  );
}
