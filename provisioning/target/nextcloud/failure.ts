import type { Outcome } from '../contract.ts';

export type NextcloudErrorCode =
  /** No connection: the request certainly had no effect. */
  | 'unreachable'
  /** The request went out and no readable answer came back: it may have had its effect. */
  | 'answer-lost'
  /** The same, because the connection broke or the time was over. */
  | 'connection-lost'
  /** The same, because the server or a proxy before it failed: an error page, or no HTTP at all. */
  | 'server-error'
  | 'maintenance'
  /** Closed for the moment, and not by its administrator: a proxy without a backend. */
  | 'busy'
  | 'too-many-requests'
  | 'sign-in-refused'
  /** Writes are refused although the sign-in is fresh: an app password on 34.0.1. */
  | 'confirmation-refused'
  | 'not-admin'
  | 'not-nextcloud'
  | 'oidc-provider-missing'
  | 'oidc-provider-unsafe';

/** The server as a whole did not do what was asked; says nothing about a row. */
export class NextcloudError extends Error {
  override readonly name = 'NextcloudError';
  readonly code: NextcloudErrorCode;
  /** How long the server asks to be left alone; 0 when it does not say. */
  readonly afterMs: number;

  constructor(p: {
    readonly code: NextcloudErrorCode;
    readonly message: string;
    readonly afterMs?: number;
    readonly cause?: unknown;
  }) {
    super(p.message, { cause: p.cause });
    this.code = p.code;
    this.afterMs = p.afterMs ?? 0;
  }
}

/** Whether the request may have had its effect although nobody knows. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof NextcloudError)) return false;
  return ['answer-lost', 'connection-lost', 'server-error'].includes(error.code);
}

/** What a failure of the server means for the row that met it. One that says when to come back is not away. */
export function outcomeOf(error: NextcloudError): Outcome {
  const { afterMs, code, message: detail } = error;
  if (isLost(error) || code === 'too-many-requests' || afterMs > 0) {
    return { state: 'retry', afterMs, code, detail };
  }
  return { state: 'unknown-host', code, detail };
}

export function retry(code: string, detail: string): Outcome {
  return { state: 'retry', afterMs: 0, code, detail };
}

export function reject(code: string, detail: string): Outcome {
  return { state: 'rejected', code, detail };
}

export function applied(externalId: string | null): Outcome {
  return { state: 'applied', externalId };
}
