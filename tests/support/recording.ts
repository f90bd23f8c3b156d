/**
 * A recorded scenario as it stands on disk: one file is one scenario against one server. The shape
 * is described in the recordings' README; what varies between runs is listed in the file itself.
 */
export interface Recording {
  readonly server: string;
  readonly version: string;
  readonly scenario: string;
  readonly why: string;
  /** What an administrator did outside HTTP, in words. */
  readonly setup?: readonly string[];
  /** JSON pointers into the file. */
  readonly volatile?: readonly string[];
  /** Pointers of objects whose keys are ids: only their values are compared, in order. */
  readonly volatileKeys?: readonly string[];
  /** XML elements whose text varies; `KEY name=x` is an element with that attribute. */
  readonly volatileElements?: readonly string[];
  readonly bindings?: Readonly<Record<string, Binding>>;
  readonly steps: readonly RecordedStep[];
}

export interface Binding {
  readonly from: string;
  readonly value: unknown;
  readonly usedIn: readonly string[];
}

export interface RecordedStep {
  readonly name: string;
  readonly before?: string;
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[]>> | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface RecordedResponse {
  /** Null with `statusLine` when the server's status line is not valid HTTP. */
  readonly status: number | null;
  readonly statusLine?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly bodyTruncatedFromBytes?: number;
}

/** The value a JSON pointer names, undefined when there is none. */
export function valueAt(p: { readonly document: unknown; readonly pointer: string }): unknown {
  let at = p.document;
  for (const token of p.pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[unescapeToken(token)];
  }
  return at;
}

export function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescapeToken(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
