/** A wave against a server that misbehaves on purpose: what is counted, and from when. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PhaseReport } from '../../services/drill/measure.ts';
import { runWave } from '../../services/drill/wave.ts';

type Step = 'login' | 'post' | 'return' | 'token';
type Answerer = (p: {
  readonly request: IncomingMessage;
  readonly answer: ServerResponse;
  readonly query: URLSearchParams;
}) => void;

const redirectUri = 'http://127.0.0.1:9/back';
const loginPage: Answerer = ({ answer, query }) => {
  const kept = `state=${query.get('state')}`;
  answer.setHeader('set-cookie', 'AUTH=1; Path=/');
  answer.end(`<form action="/realms/t/post?${kept}"><input name="password"></form>`);
};
const sendBack: Answerer = ({ answer, query }) => {
  answer.setHeader('set-cookie', 'IDENTITY=1; Path=/');
  const location = `${redirectUri}?state=${query.get('state')}&code=c`;
  answer.writeHead(302, { location }).end();
};
const giveToken: Answerer = ({ answer }) => answer.end('{"access_token":"t"}');
const status =
  (code: number, headers: Record<string, string> = {}): Answerer =>
  ({ answer }) => {
    answer.writeHead(code, headers).end();
  };

const healthy: Readonly<Record<Step, Answerer>> = {
  login: loginPage,
  post: sendBack,
  return: sendBack,
  token: giveToken,
};
let steps = { ...healthy };
/** What each form post carried. */
const seen: { username: string; cookie: string | undefined }[] = [];

const server = createServer((request, answer) => {
  const url = new URL(request.url ?? '', 'http://127.0.0.1');
  const step: Step = url.pathname.endsWith('/token')
    ? 'token'
    : url.pathname.endsWith('/post')
      ? 'post'
      : request.headers.cookie?.includes('IDENTITY')
        ? 'return'
        : 'login';
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString('utf8');
  });
  request.on('end', () => {
    const username = new URLSearchParams(body).get('username');
    if (step === 'post') seen.push({ username: String(username), cookie: request.headers.cookie });
    steps[step]({ request, answer, query: url.searchParams });
  });
});
let address = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  steps = { ...healthy };
  seen.length = 0;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function wave(
  p: {
    readonly rate?: number;
    readonly hold?: number;
    readonly people?: number;
    readonly returnShare?: number;
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
    readonly realm?: string;
  } = {},
) {
  const { hold = 1, people = 50, rate = 30, returnShare = 0, timeoutMs = 5000 } = p;
  return runWave({
    shape: { seed: 2, rate, ramp: 0, hold, returnShare },
    site: {
      realm: p.realm ?? `${address}/realms/t`,
      applications: ['one', 'two'],
      redirectUri,
      timeoutMs,
    },
    people: Array.from({ length: people }, (_, n) => `drill-${n}`),
    password: 'a made-up password',
    signal: p.signal ?? new AbortController().signal,
  });
}

const phaseOf = (phases: readonly PhaseReport[], name: string) =>
  phases.find(({ phase }) => phase === name);

describe('a wave', () => {
  test('counts from the planned arrival: a stall is charged to all who came meanwhile', async () => {
    const began = performance.now();
    // For its first 600 ms the server answers nobody; without that it takes a few ms.
    steps.login = (p) => {
      setTimeout(() => loginPage(p), Math.max(0, 600 - (performance.now() - began)));
    };
    const { report } = await wave({ people: 60 });
    const page = phaseOf(report.phases, 'login-page');

    expect(report.failed).toBe(0);
    // Of the arrivals of one second, evenly spread, a quarter waited for some 400 ms and more.
    expect(page?.p95).toBeGreaterThan(400);
    expect(page?.p50).toBeGreaterThan(20);
    expect(page?.count).toBe(report.planned);
  });

  test('carries cookies and state, and sends everybody to one place at a time', async () => {
    const { report } = await wave({ people: 40 });

    expect(report).toMatchObject({ failed: 0, signedIn: report.planned, end: 'done' });
    expect(seen.every((one) => one.cookie === 'AUTH=1')).toBe(true);
    expect(new Set(seen.map((one) => one.username)).size).toBe(Math.min(40, report.planned));
  });

  test('does not make one person do the work of two', async () => {
    steps.post = (p) => {
      setTimeout(() => sendBack(p), 3000);
    };
    const { report } = await wave({ people: 5 });

    expect(report.signedIn).toBe(5);
    expect(phaseOf(report.phases, 'login-page')?.causes).toEqual({
      'no-person-free': report.planned - 5,
    });
  });

  test('ends early where everybody is turned away', async () => {
    steps.post = status(500);
    const { report } = await wave({ rate: 100, hold: 5, people: 500 });

    expect(report.end).toBe('gave-up');
    expect(report.failed).toBeGreaterThanOrEqual(100);
    expect(report.failed).toBeLessThan(report.planned);
  });

  test('ends when it is told to, and those under way come to their end', async () => {
    const stop = new AbortController();
    steps.token = (p) => {
      stop.abort();
      giveToken(p);
    };
    const { report } = await wave({ hold: 5, people: 150, signal: stop.signal });

    expect(report.end).toBe('stopped');
    expect(report.signedIn).toBeGreaterThan(0);
    expect(report.signedIn).toBeLessThan(report.planned);
    expect(report.failed).toBe(0);
  });
});

const few = { rate: 12, hold: 0.3, timeoutMs: 700 };
const html: Answerer = ({ answer }) => answer.end('<p>no</p>');
const refuse: Answerer = ({ answer, query }) => {
  const location = `${redirectUri}?error=access_denied&state=${query.get('state')}`;
  answer.writeHead(302, { location }).end();
};
const to = (location: string) => status(302, { location });

test.each<[Step, string, string, Answerer]>([
  ['login', 'login-page', 'no-form', html],
  ['login', 'login-page', 'busy', status(503)],
  ['login', 'login-page', 'busy', status(429)],
  ['login', 'login-page', 'server-error', status(502)],
  ['login', 'login-page', 'unexpected-status', status(404)],
  ['login', 'login-page', 'connection-lost', ({ request }) => request.socket.destroy()],
  ['login', 'login-page', 'timeout', () => {}],
  ['post', 'form-post', 'wrong-credentials', html],
  ['post', 'form-post', 'refused', status(400)],
  ['post', 'form-post', 'server-error', status(500)],
  ['post', 'form-post', 'refused', refuse],
  ['post', 'form-post', 'required-action', to('/realms/t/login-actions/required-action?x=1')],
  ['post', 'form-post', 'wrong-state', to(`${redirectUri}?code=c&state=other`)],
  ['token', 'token', 'refused', status(400)],
  ['token', 'token', 'bad-token', ({ answer }) => answer.end('{"access_token":""}')],
  ['token', 'token', 'bad-token', html],
  ['return', 'sso-return', 'asked-again', loginPage],
])('trouble at %s is counted at %s as %s', async (step, phase, cause, misbehave) => {
  steps[step] = misbehave;
  const { report } = await wave({
    rate: 3,
    returnShare: step === 'return' ? 1 : 0,
    timeoutMs: 700,
  });
  const failed = report.phases.filter((one) => one.failed > 0);

  expect(failed).toMatchObject([{ phase, causes: { [cause]: report.failed } }]);
  expect(report.failed).toBe(report.planned);
});

test('a server that is away is told so', async () => {
  const { report } = await wave({ ...few, realm: 'http://127.0.0.1:9/realms/t' });
  expect(phaseOf(report.phases, 'login-page')?.causes).toEqual({ 'no-connection': report.planned });
});
