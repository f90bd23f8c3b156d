import type { Answer, Ask } from './exchange.ts';
import { jsonType } from './exchange.ts';

/** What an OCS handler says; the code is the one of v2 (200 for success). */
export interface OcsResult {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Generation = 'v1' | 'v2';

export function ok(data: unknown = []): OcsResult {
  return { code: 200, message: 'OK', data };
}

export function refuse(code: number, message = ''): OcsResult {
  return { code, message, data: [] };
}

/**
 * HTTP status of an OCS code. v1 answers 200 to all but a failed login (recording
 * nextcloud-34.0.1/32); 998 and 404 are "not found", 996 and 999 server errors.
 */
function httpStatus(generation: Generation, code: number): number {
  if (code === 997) return 401;
  if (generation === 'v1' || code === 200) return 200;
  if (code === 998 || code === 404) return 404;
  if (code === 996 || code === 999) return 500;
  if (code === 403) return 403;
  return code === 500 || code === 422 ? code : 400;
}

export function answerOcs(p: {
  readonly ask: Ask;
  readonly generation: Generation;
  readonly result: OcsResult;
  readonly headers?: Readonly<Record<string, string>>;
  /** Set where the envelope is written before the router (failed login): it names its XML otherwise. */
  readonly early?: boolean;
  readonly forceXml?: boolean;
  readonly status?: number;
  readonly totals?: boolean;
}): Answer {
  const { result, generation } = p;
  const success = result.code === 200;
  const meta: Record<string, unknown> = {
    status: success ? 'ok' : 'failure',
    statuscode: success && generation === 'v1' ? 100 : result.code,
    message: result.message,
  };
  if (p.totals ?? generation === 'v1') Object.assign(meta, { totalitems: '', itemsperpage: '' });
  const json = p.forceXml !== true && wantsJson(p.ask);
  const xmlType = p.early === true ? 'text/xml; charset=UTF-8' : 'application/xml; charset=utf-8';
  return {
    status: p.status ?? httpStatus(generation, result.code),
    headers: { 'Content-Type': json ? jsonType : xmlType, ...result.headers, ...p.headers },
    body: json
      ? JSON.stringify({ ocs: { meta, data: result.data } })
      : `<?xml version="1.0"?>\n<ocs>\n${writeXml({ meta, data: result.data }, 1)}</ocs>\n`,
  };
}

export function wantsJson(ask: Ask): boolean {
  const format = ask.query.get('format');
  if (format !== null) return format === 'json';
  return (ask.headers.accept ?? '').includes('application/json');
}

/** As the real server's XMLWriter: empty text has two tags, null and empty lists one (recording nextcloud-34.0.1/31). */
function writeXml(value: object, depth: number): string {
  const indent = ' '.repeat(depth);
  let text = '';
  const entries = Array.isArray(value)
    ? value.map((one) => ['element', one] as const)
    : Object.entries(value).map(([name, one]) => [/^\d/.test(name) ? 'element' : name, one]);
  for (const [name, one] of entries as [string, unknown][]) {
    if (one === null || (typeof one === 'object' && Object.keys(one).length === 0)) {
      text += `${indent}<${name}/>\n`;
    } else if (typeof one === 'object') {
      text += `${indent}<${name}>\n${writeXml(one, depth + 1)}${indent}</${name}>\n`;
    } else {
      const plain = one === true ? '1' : one === false ? '' : String(one);
      text += `${indent}<${name}>${escapeXml(plain)}</${name}>\n`;
    }
  }
  return text;
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
