import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Documents } from '../documents.ts';
import type { StandIn } from '../stand-in.ts';
import { behaviourOf, type NextcloudVersion } from './behaviour.ts';
import { answerControl, buildControl, type NextcloudControl } from './control.ts';
import { dispatch, type Server } from './dispatch.ts';
import { openEditLimit } from './edit-limit.ts';
import { type Answer, type Ask, answerJson, readAsk } from './exchange.ts';
import type { FaultHook } from './fault.ts';
import type { Session } from './sign-in.ts';
import { newUser, openState, resetState, saveUser } from './state.ts';

export interface NextcloudStandIn extends StandIn {
  readonly control: NextcloudControl;
  /** The one place where faults come in; null takes them away. */
  setFaults(hook: FaultHook | null): void;
}

/**
 * Answers as Nextcloud with Team folders and user_oidc did in the recordings, on 127.0.0.1. With
 * port 0 the system chooses one. What it is told lasts in `documents`; sessions do not.
 */
export async function startNextcloudStandIn(p: {
  readonly port: number;
  readonly documents: Documents;
  readonly user: string;
  readonly password: string;
  readonly appPassword: string;
  readonly version?: NextcloudVersion;
}): Promise<NextcloudStandIn> {
  const behaviour = behaviourOf(p.version ?? '34.0.1');
  const state = openState({ ...p, homeId: behaviour.baseline.home });
  const sessions = new Map<string, Session>();
  const editLimit = openEditLimit();
  const server: Server = { state, sessions, behaviour, editLimit };
  const addUser = (id: string) => saveUser(state, newUser({ id, password: null }));
  const reset = () => resetState(state, { ...p, homeId: behaviour.baseline.home });
  const control = buildControl({ state, sessions, editLimit, addUser, reset });
  let faults: FaultHook | null = null;

  const http = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ask = await receive(request);
    if (ask.path.startsWith('/__sandbox/')) {
      send(response, answerControl(control, ask), []);
      return;
    }
    const fault = faults?.(ask) ?? null;
    if (fault?.kind === 'delay') await wait(fault.milliseconds);
    if (fault?.kind === 'answer') {
      send(response, fault.answer, []);
      return;
    }
    if (fault?.kind === 'reset' && fault.when === 'before') {
      request.socket.destroy();
      return;
    }
    const { answer, cookies } = answerSafely(server, ask, fault?.kind === 'break-off');
    if (fault?.kind === 'reset') request.socket.destroy();
    else send(response, answer, cookies);
  }

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(p.port, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    control,
    setFaults(hook) {
      faults = hook;
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

/** A request either changes all it wants or nothing, also when the process is killed meanwhile. */
function answerSafely(server: Server, ask: Ask, breakOff: boolean): ReturnType<typeof dispatch> {
  try {
    return server.state.documents.atomically(() => dispatch(server, ask, breakOff));
  } catch (error) {
    if (error instanceof URIError) return { answer: answerJson(400, { message: '' }), cookies: [] };
    throw error;
  }
}

async function receive(request: IncomingMessage): Promise<Ask> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return readAsk({
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers: request.headers,
    body: Buffer.concat(chunks),
  });
}

function send(response: ServerResponse, answer: Answer, cookies: readonly string[]): void {
  const body = Buffer.from(answer.body);
  if (answer.statusLine !== undefined) {
    sendInvalid(response, answer, body);
    return;
  }
  if (cookies.length > 0) response.setHeader('Set-Cookie', [...cookies]);
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': body.length });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** Node refuses to write a status such as 1062, so this answer goes over the socket as it stands. */
function sendInvalid(response: ServerResponse, answer: Answer, body: Buffer): void {
  const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${answer.statusLine ?? ''}\r\n${headers.join('')}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  response.socket?.end(Buffer.concat([Buffer.from(head), body]));
}
