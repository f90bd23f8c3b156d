import type { Answer } from './exchange.ts';
import { escapeXml } from './ocs.ts';

export type DavFaultName =
  | 'NotAuthenticated'
  | 'ServiceUnavailable'
  | 'ServerMaintenanceMode'
  | 'NotFound'
  | 'Forbidden'
  | 'Conflict'
  | 'MethodNotAllowed'
  | 'PreconditionFailed'
  | 'NotImplemented'
  | 'BadRequest'
  | 'InvalidPath'
  | 'RuntimeException'
  | null;

/** A WebDAV error in the words of the server's exceptions; null is its plain base class. */
export class DavFault extends Error {
  override readonly name = 'DavFault';
  readonly code: DavFaultName;
  readonly status: number;
  readonly allow: string | null;

  constructor(code: DavFaultName, status: number, message: string, allow: string | null = null) {
    super(message);
    this.code = code;
    this.status = status;
    this.allow = allow;
  }
}

function exceptionName(code: DavFaultName): string {
  if (code === null) return 'Sabre\\DAV\\Exception';
  if (code === 'RuntimeException') return code;
  if (code === 'ServerMaintenanceMode') return `OCA\\DAV\\Exception\\${code}`;
  if (code === 'InvalidPath') return `OCA\\DAV\\Connector\\Sabre\\Exception\\${code}`;
  return `Sabre\\DAV\\Exception\\${code}`;
}

export function davError(fault: DavFault, headers: Readonly<Record<string, string>> = {}): Answer {
  // Text in an element escapes quotes neither in the recordings nor by the rules of XML.
  const text = escapeXml(fault.message).replaceAll('&quot;', '"');
  const message = text === '' ? '<s:message/>' : `<s:message>${text}</s:message>`;
  const lines = [`  <s:exception>${exceptionName(fault.code)}</s:exception>`, `  ${message}`];
  let namespaces = 'xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"';
  if (fault.code === 'InvalidPath') {
    namespaces += ' xmlns:o="http://owncloud.org/ns"';
    lines.push('  <o:retry xmlns:o="o:">false</o:retry>');
    lines.push(`  <o:reason xmlns:o="o:">${text}</o:reason>`);
  }
  if (fault.code === 'PreconditionFailed') lines.push('  <s:header>If-None-Match</s:header>');
  const allow = fault.allow === null ? {} : { Allow: fault.allow };
  return {
    status: fault.status,
    headers: { 'Content-Type': 'application/xml; charset=utf-8', ...allow, ...headers },
    body: `<?xml version="1.0" encoding="utf-8"?>\n<d:error ${namespaces}>\n${lines.join('\n')}\n</d:error>\n`,
  };
}
