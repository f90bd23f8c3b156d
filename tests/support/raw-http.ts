import { connect } from 'node:net';

export interface RawRequest {
  readonly method: string;
  /** Path with query, percent-encoded as it is to be sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawResponse {
  readonly statusLine: string;
  readonly status: number;
  /** Lower-case names; a repeated header has several values. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

/**
 * One exchange over a plain socket. The recordings hold status lines such as `HTTP/1.1 1062` that no
 * HTTP client will read, and paths that clients would normalise, so that neither may be in between.
 */
export async function exchangeRaw(p: {
  readonly url: string;
  readonly request: RawRequest;
}): Promise<RawResponse> {
  const url = new URL(p.url);
  const body = Buffer.from(p.request.body);
  const headers: Record<string, string> = { Host: url.host, ...p.request.headers };
  if (body.length > 0 || ['POST', 'PUT', 'PATCH'].includes(p.request.method)) {
    headers['Content-Length'] = String(body.length);
  }
  headers['Connection'] = 'close';
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port || 80) });
    socket.on('connect', () => {
      socket.write(`${p.request.method} ${p.request.target} HTTP/1.1\r\n${head.join('')}\r\n`);
      socket.write(body);
    });
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer within 20 s')));
  });
  return parseResponse(Buffer.concat(chunks));
}

function parseResponse(bytes: Buffer): RawResponse {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0)
    throw new Error(`the connection closed after ${bytes.length} bytes, without an answer`);
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const rest = bytes.subarray(end + 4);
  const chunked = headers.get('transfer-encoding')?.includes('chunked') ?? false;
  return {
    statusLine,
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: (chunked ? joinChunks(rest) : rest).toString('utf8'),
  };
}

function joinChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
