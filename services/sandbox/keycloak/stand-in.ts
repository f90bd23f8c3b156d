/**
 * A Keycloak to practise on: the part of the admin API that provisioning uses, answering as 26.7.5
 * does. tests/keycloak/contract.ts holds it to a real server. It signs nobody in but administrators.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Documents } from '../documents.ts';
import type { StandIn } from '../stand-in.ts';
import { type Answer, type Call, Refusal, unknownError } from './answer.ts';
import type { Fault, FaultHook } from './fault.ts';
import { addRealm } from './realm.ts';
import { findRoute } from './routes.ts';
import { openTokens, type Tokens } from './sign-in.ts';
import { type KeycloakState, openState } from './state.ts';

/** Quarkus refuses larger bodies with a 413. */
const bodyLimit = 10 * 1024 * 1024;

export interface KeycloakStandIn extends StandIn {
  /** The one place where faults come in; null takes them away. */
  setFaults(hook: FaultHook | null): void;
}

export async function startKeycloakStandIn(p: {
  /** 0 takes a free one. */
  readonly port: number;
  readonly documents: Documents;
  readonly user: string;
  readonly password: string;
}): Promise<KeycloakStandIn> {
  const state = openState(p.documents);
  if (!state.realms.has('master')) {
    addRealm({ state, name: 'master', settings: { accessTokenLifespan: 60 } });
  }
  const tokens = openTokens({ state, user: p.user, password: p.password });
  let faults: FaultHook | null = null;
  const server = createServer((request, response) => {
    const fault = faults === null ? null : (faults(faultCall({ request, state })) ?? null);
    void serveWith({ request, state, tokens, fault })
      .catch((error: unknown) => {
        console.error('The Keycloak stand-in failed:', error);
        return unknownError().answer;
      })
      .then((answer) => {
        if (answer === null) request.socket.resetAndDestroy();
        else send({ answer, request, response });
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(p.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    setFaults(hook) {
      faults = hook;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Serving {
  readonly request: IncomingMessage;
  readonly state: KeycloakState;
  readonly tokens: Tokens;
}

function faultCall(p: { readonly request: IncomingMessage; readonly state: KeycloakState }) {
  const { method = 'GET', url = '/' } = p.request;
  return { method, path: url.replace(/\?.*/, ''), users: p.state.countUsers() };
}

/** Null: the connection breaks instead of an answer. */
async function serveWith(p: Serving & { readonly fault: Fault | null }): Promise<Answer | null> {
  const { fault } = p;
  if (fault?.kind === 'delay') await wait(fault.milliseconds);
  if (fault?.kind === 'reset' && fault.when === 'before') return null;
  if (fault?.kind === 'answer') {
    await readBody(p.request);
    return fault.answer;
  }
  const answer = await serve(p);
  return fault?.kind === 'reset' ? null : answer;
}

async function serve(p: Serving): Promise<Answer> {
  const url = new URL(p.request.url ?? '/', 'http://stand-in');
  const path = url.pathname.replace(/\/+$/, '');
  const method = p.request.method ?? 'GET';
  const text = await readBody(p.request);
  if (text === null) return { status: 413 };
  const open = /^\/realms\/([^/]+)(\/protocol\/openid-connect\/token)?$/.exec(path);
  if (open !== null) {
    const realm = p.state.realms.get(decodeURIComponent(open[1] ?? '')) ?? null;
    if (open[2] !== undefined) {
      return p.tokens.issue({ realm, form: new URLSearchParams(text) });
    }
    return realm === null
      ? { status: 404, body: { error: 'Realm does not exist' } }
      : { status: 200, body: { realm: realm.realm } };
  }
  const visitor = p.tokens.visitor(p.request.headers.authorization);
  if (!path.startsWith('/admin/')) return failed(404, 'Not Found');
  if (visitor === null) return failed(401, 'Unauthorized');
  const found = findRoute({ method, path });
  if (found === null) return failed(404, 'Not Found');
  const { params, realm: name, route } = found;
  const realm = name === null ? null : (p.state.realms.get(name) ?? null);
  if (name !== null && realm === null) return { status: 404, body: { error: 'Realm not found.' } };
  if (!visitor.may({ realm: name ?? visitor.realm, right: route.right }))
    return failed(403, 'Forbidden');
  const call: Call = {
    method,
    realm: name ?? '',
    query: url.searchParams,
    body: parse(text),
    text,
    params,
    path,
  };
  const { state } = p;
  const answer = () => answerOrRefusal(() => route.answer({ state, realm, call, visitor }));
  return method === 'GET' ? answer() : state.documents.atomically(answer);
}

/** Handlers refuse before they write, so a refusal has nothing to roll back. */
function answerOrRefusal(handle: () => Answer): Answer {
  try {
    return handle();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

function failed(status: number, text: string): Answer {
  return { status, body: { error: `HTTP ${status} ${text}` } };
}

/** Undefined where there is something that is not JSON. */
function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= bodyLimit) chunks.push(chunk as Buffer);
  }
  return size > bodyLimit ? null : Buffer.concat(chunks).toString('utf8');
}

function send(p: {
  readonly answer: Answer;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}): void {
  const { answer, response } = p;
  response.statusCode = answer.status;
  if (answer.location !== undefined) {
    response.setHeader('location', `http://${p.request.headers.host ?? ''}${answer.location}`);
  }
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (answer.body === undefined) {
    response.end();
    return;
  }
  response.setHeader('content-type', 'application/json;charset=UTF-8');
  response.end(JSON.stringify(answer.body));
}
