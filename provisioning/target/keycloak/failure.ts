/** What a failed call means for a row. */

import { NetworkError } from '@keycloak/keycloak-admin-client';
import type { Outcome } from '../contract.ts';
import { PaceHeldError } from '../pace/pace.ts';
import { readRetryAfter } from '../pace/retry-after.ts';
import { SignInError } from './session.ts';

const noRightMs = 300_000;

/** The HTTP status of a failed call; null when the server gave no answer at all. */
export function statusOf(error: unknown): number | null {
  return error instanceof NetworkError ? error.response.status : null;
}

/** Keycloak's own machine text, for example `User exists with same username`. */
export function serverMessageOf(error: unknown): string {
  if (!(error instanceof NetworkError)) return '';
  const data = error.responseData as Record<string, unknown> | null;
  if (typeof data !== 'object' || data === null) return '';
  return String(data['errorMessage'] ?? data['error'] ?? '');
}

export function retry(p: {
  readonly code: string;
  readonly detail: string;
  readonly afterMs?: number;
}): Outcome {
  return { state: 'retry', afterMs: p.afterMs ?? 0, code: p.code, detail: p.detail };
}

export function rejected(p: { readonly code: string; readonly detail: string }): Outcome {
  return { state: 'rejected', code: p.code, detail: p.detail };
}

/**
 * A missing right is retried late rather than rejected: it says nothing of the row, and a role that
 * was taken away for an hour must not leave thousands of rows to be started again by hand.
 */
export function judgeFailure(error: unknown): Outcome {
  if (error instanceof SignInError) {
    return { state: 'unknown-host', code: error.code, detail: error.message };
  }
  if (error instanceof PaceHeldError) {
    return retry({ code: 'busy', afterMs: error.afterMs, detail: `Keycloak: ${error.message}.` });
  }
  if (!(error instanceof NetworkError)) return judgeConnection(error);
  const { headers, status } = error.response;
  if (status === 401) {
    return {
      state: 'unknown-host',
      code: 'sign-in-refused',
      detail: 'Keycloak refused a fresh token: check the address and the clock of both machines.',
    };
  }
  if (status === 403) {
    return retry({
      code: 'no-right',
      afterMs: noRightMs,
      detail:
        'Keycloak refused the call: give our account the realm-management role manage-users (and view-users).',
    });
  }
  if (status === 400 || status === 413 || status === 422) return judgeRefusal(error);
  if (status === 404) {
    return retry({ code: 'gone-meanwhile', detail: 'It vanished in Keycloak while we wrote it.' });
  }
  if (status === 409) {
    return retry({ code: 'conflict', detail: 'Keycloak answered 409 to a concurrent write.' });
  }
  return retry({
    code: status === 429 || status === 503 ? 'busy' : 'server-error',
    afterMs: readRetryAfter({ header: headers.get('retry-after'), now: Date.now() }) ?? 0,
    detail: `Keycloak answered ${status}; its log says why.`,
  });
}

const codeOfField: Readonly<Record<string, string>> = {
  username: 'invalid-username',
  email: 'invalid-email',
  firstName: 'invalid-name',
  lastName: 'invalid-name',
};

/** 400: one `{field, errorMessage}` or `{errors: [...]}` in no fixed order; never repeats `params`, they hold the value. */
function judgeRefusal(error: NetworkError): Outcome {
  const data = error.responseData as Record<string, unknown> | null;
  const listed = data !== null && Array.isArray(data['errors']) ? data['errors'] : [data];
  const faults = listed
    .map((fault: unknown) => {
      const { field, errorMessage } = (fault ?? {}) as Record<string, unknown>;
      const text = String(errorMessage ?? '');
      return { field: String(field ?? ''), message: /^error-[a-z-]+$/.test(text) ? text : '' };
    })
    .filter((fault) => fault.field !== '')
    .sort((a, b) => a.field.localeCompare(b.field));
  const first = faults[0];
  if (first === undefined) {
    const known = /^(User|Group) name is missing$/.exec(serverMessageOf(error))?.[1];
    const code = known === 'User' ? 'invalid-username' : known === 'Group' ? 'invalid-name' : null;
    return rejected({
      code: code ?? 'refused',
      detail: `Keycloak answered ${error.response.status} and named no field.`,
    });
  }
  const readOnly = faults.find((fault) => fault.message === 'error-user-attribute-read-only');
  if (readOnly !== undefined) {
    return rejected({
      code: 'read-only',
      detail: `Keycloak does not let us change ${readOnly.field}: prepare the target again (editUsernameAllowed).`,
    });
  }
  return rejected({
    code: codeOfField[first.field] ?? 'invalid-attribute',
    detail: faults.map((fault) => `${fault.field}: ${fault.message || 'refused'}`).join('; '),
  });
}

const outOfReach = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** No answer: out of reach, or a write that may or may not have happened. */
function judgeConnection(error: unknown): Outcome {
  if (!(error instanceof Error)) throw error;
  const cause = error.cause as { code?: unknown } | undefined;
  const code = String(cause?.code ?? (error as { code?: unknown }).code ?? '');
  if (outOfReach.has(code) || /CERT|TLS|SSL|SELF_SIGNED|ALTNAME/.test(code)) {
    return {
      state: 'unknown-host',
      code: 'out-of-reach',
      detail: `Keycloak could not be reached (${code}): check address, network and certificate.`,
    };
  }
  if (error.name === 'TimeoutError') {
    return retry({ code: 'timeout', detail: 'Keycloak did not answer in time.' });
  }
  if (code !== '' || error.message === 'fetch failed') {
    return retry({
      code: 'connection-lost',
      detail: `The connection broke (${code || 'unknown'}).`,
    });
  }
  return retry({
    code: 'bad-answer',
    detail: `Keycloak's answer was not understood (${error.name}).`,
  });
}
