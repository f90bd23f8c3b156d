import type { IncomingHttpHeaders } from 'node:http';

/** A request as the handlers see it. */
export interface Ask {
  readonly method: string;
  /** Percent-encoded, as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Fields of the query and of a form or JSON body; `name[]` and JSON lists have several values. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly cookies: ReadonlyMap<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** A status line that is not valid HTTP, sent as it stands. */
  readonly statusLine?: string;
}

export function readAsk(p: {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}): Ask {
  const [path = '', ...rest] = p.target.split('?');
  const query = new URLSearchParams(rest.join('?'));
  const fields = new Map<string, string[]>();
  addForm(fields, query);
  const type = p.headers['content-type'] ?? '';
  if (type.includes('application/json')) addJson(fields, p.body.toString());
  else if (type.includes('x-www-form-urlencoded')) {
    addForm(fields, new URLSearchParams(p.body.toString()));
  }
  return {
    method: p.method,
    path,
    query,
    headers: p.headers,
    body: p.body,
    fields,
    cookies: readCookies(p.headers.cookie ?? ''),
  };
}

function addForm(fields: Map<string, string[]>, form: URLSearchParams): void {
  for (const [name, value] of form) {
    const key = name.replace(/\[\d*\]$/, '');
    fields.set(key, name === key ? [value] : [...(fields.get(key) ?? []), value]);
  }
}

function addJson(fields: Map<string, string[]>, text: string): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return;
  }
  for (const [name, value] of Object.entries((body ?? {}) as Record<string, unknown>)) {
    if (value === null) continue;
    const list = Array.isArray(value) ? value : [value];
    fields.set(
      name,
      list.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))),
    );
  }
}

function readCookies(header: string): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header.split(/; */)) {
    const at = pair.indexOf('=');
    if (at > 0) cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return cookies;
}

export function fieldOf(ask: Ask, name: string): string | undefined {
  return ask.fields.get(name)?.at(-1);
}

export const jsonType = 'application/json; charset=utf-8';
export const htmlType = 'text/html; charset=UTF-8';

export function answerJson(status: number, body: unknown): Answer {
  return { status, headers: { 'Content-Type': jsonType }, body: JSON.stringify(body) };
}

/** What a framework error leaves behind: 34.0.1 answers a missing parameter like this. */
export function answerEmpty(status: number): Answer {
  return { status, headers: { 'Content-Type': htmlType }, body: '' };
}

export function answerHtml(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  const body =
    '<!DOCTYPE html>\n<html lang="en"><head><title>Nextcloud</title></head><body></body></html>';
  return { status, headers: { 'Content-Type': htmlType, ...headers }, body };
}
