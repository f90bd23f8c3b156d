import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Documents } from '../documents.ts';
import type { StandIn } from '../stand-in.ts';
import { administer } from './administration.ts';
import { renderFailureJson, renderFailureXml, renderJson, renderXml } from './answer.ts';
import type { Call, WebFunction } from './call.ts';
import { categoryFunctions } from './categories.ts';
import { cohortMemberFunctions } from './cohort-members.ts';
import { cohortFunctions } from './cohorts.ts';
import { courseWrites } from './courses.ts';
import { courseCopies } from './courses-copy.ts';
import { courseReads } from './courses-read.ts';
import { enrolmentFunctions } from './enrolments.ts';
import {
  invalidParameter,
  MoodleFailure,
  missingRecord,
  moodleFailure,
  writeFailure,
} from './failure.ts';
import type { FaultyCall, MoodleFault, MoodleFaults } from './faults.ts';
import { groupFunctions } from './groups.ts';
import { parseForm, type Raw } from './params.ts';
import { roleFunctions } from './roles.ts';
import { infoService, schoolService } from './services.ts';
import { fold, openState, type State } from './state.ts';
import { userReads } from './users.ts';
import { userWrites } from './users-write.ts';

export interface MoodleTokens {
  /** The administrator, all functions. */
  readonly school: string;
  /** The administrator, only core_webservice_get_site_info. */
  readonly infoonly: string;
  /** A user with nothing but the right to call. */
  readonly limited: string;
}

const functions: ReadonlyMap<string, WebFunction> = new Map(
  Object.entries({
    ...userReads,
    ...userWrites,
    ...cohortFunctions,
    ...cohortMemberFunctions,
    ...categoryFunctions,
    ...courseReads,
    ...courseWrites,
    ...courseCopies,
    ...enrolmentFunctions,
    ...groupFunctions,
    ...roleFunctions,
  }),
);

interface Site {
  readonly state: State;
  readonly tokens: MoodleTokens;
  readonly maxInputVars: number;
  readonly faults: MoodleFaults;
}

/**
 * A Moodle 4.5.6 that answers `/webservice/rest/server.php` on 127.0.0.1 as the recorded server did.
 * `maxInputVars` is PHP's limit on form fields (20,000 there; a smaller one drops fields silently).
 * What an administrator does outside the web services goes to `/__sandbox/administration`
 * (administration.ts). Rejects when the port is taken.
 */
export async function startMoodleStandIn(p: {
  /** 0 takes a free one. */
  readonly port: number;
  readonly documents: Documents;
  readonly tokens: MoodleTokens;
  readonly maxInputVars?: number;
  readonly faults?: MoodleFaults;
}): Promise<StandIn> {
  const site: Site = {
    state: openState(p.documents),
    tokens: p.tokens,
    maxInputVars: p.maxInputVars ?? 20_000,
    faults: p.faults ?? (() => null),
  };
  const server = createServer((request, response) => {
    answer({ site, request, response }).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
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
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function answer(p: {
  readonly site: Site;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}): Promise<void> {
  const { site, request, response } = p;
  const base = `http://${request.headers.host ?? '127.0.0.1'}`;
  const url = new URL(request.url ?? '/', base);
  const body = await readBody(request);
  if (url.pathname === '/__sandbox/administration') {
    const problem = administer({ state: site.state, body });
    send(response, problem === null ? 204 : 400, 'text/plain; charset=utf-8', problem ?? '');
    return;
  }
  const settings = site.state.settings();
  if (settings.cliMaintenance) {
    response.setHeader('Retry-After', '300');
    send(response, 503, 'text/html; charset=utf-8', page('The site is undergoing maintenance'));
    return;
  }
  if (url.pathname !== '/webservice/rest/server.php') {
    send(response, 404, 'text/html; charset=utf-8', page('Not found'));
    return;
  }
  if (!settings.webServices || !settings.restProtocol) {
    send(response, 403, 'text/html; charset=utf-8', '');
    return;
  }
  const sent = isForm(request) ? body : '';
  const fault = site.faults(callOf(sent));
  if (fault?.effect === 'wait') await setTimeout(fault.milliseconds);
  const maxInputVars = fault?.effect === 'cut' ? fault.fields : site.maxInputVars;
  const form = new Map([
    ...parseForm({ text: url.search.slice(1), maxInputVars }),
    ...parseForm({ text: sent, maxInputVars }),
  ]);
  serve({ site, base, form, response, fault });
}

function callOf(body: string): FaultyCall {
  const form = parseForm({ text: body, maxInputVars: Number.POSITIVE_INFINITY });
  const lists = [...form.values()].filter((value) => value instanceof Map);
  const name = form.get('wsfunction');
  return {
    function: typeof name === 'string' ? name : '',
    fields: body === '' ? 0 : body.split('&').length,
    items: lists[0]?.size ?? 0,
  };
}

function isForm(request: IncomingMessage): boolean {
  const type = request.headers['content-type'] ?? '';
  return type.startsWith('application/x-www-form-urlencoded');
}

function serve(p: {
  readonly site: Site;
  readonly base: string;
  readonly form: Map<string, Raw>;
  readonly response: ServerResponse;
  readonly fault: MoodleFault | null;
}): void {
  const { form, response, fault } = p;
  const name = takeText(form, 'wsfunction');
  if (fault?.at === 'before' && fault.effect === 'reset') {
    response.destroy();
    return;
  }
  if (fault?.effect === 'status') {
    if (fault.retryAfter !== null) response.setHeader('Retry-After', String(fault.retryAfter));
    // Moodle's own 403 has no page (recording moodle-4.5.6/29).
    const text = fault.status === 403 ? '' : page('Something went wrong');
    send(response, fault.status, 'text/html; charset=utf-8', text);
    return;
  }
  const json = takeText(form, 'moodlewsrestformat') === 'json';
  const outcome =
    fault?.effect === 'exception'
      ? { value: null, shape: null, failure: failureOf(fault.errorcode) }
      : invoke({ ...p, name });
  if (fault?.at === 'after') {
    response.destroy();
  } else if (json) {
    const text =
      outcome.failure === null ? renderJson(outcome.value) : renderFailureJson(outcome.failure);
    send(response, 200, 'application/json', text);
  } else {
    const text = outcome.failure === null ? renderXml(outcome) : renderFailureXml(outcome.failure);
    send(response, 200, 'application/xml; charset=utf-8', text);
  }
}

function failureOf(errorcode: string): MoodleFailure {
  return errorcode === 'dmlwriteexception' ? writeFailure() : invalidParameter();
}

function takeText(form: Map<string, Raw>, name: string): string | null {
  const value = form.get(name);
  form.delete(name);
  return typeof value === 'string' && value !== '' ? value : null;
}

interface Invoked {
  readonly value: unknown;
  readonly shape: WebFunction['shape'];
  readonly failure: MoodleFailure | null;
}

function invoke(p: {
  readonly site: Site;
  readonly base: string;
  readonly form: Map<string, Raw>;
  readonly name: string | null;
}): Invoked {
  try {
    const call = authenticate(p);
    const { name } = p;
    if (name === null) throw invalidParameter();
    if (!schoolService.includes(name)) throw missingRecord('external_functions');
    if (!call.service.includes(name)) {
      throw new MoodleFailure({
        exception: 'webservice_access_exception',
        errorcode: 'accessexception',
        message: 'Access control exception',
      });
    }
    const known = functions.get(name);
    if (known === undefined)
      throw moodleFailure('notinsandbox', 'The sandbox has no such function');
    return { value: known.run({ call, form: p.form }), shape: known.shape, failure: null };
  } catch (error) {
    if (!(error instanceof MoodleFailure)) throw error;
    return { value: null, shape: null, failure: error };
  }
}

function authenticate(p: {
  readonly site: Site;
  readonly base: string;
  readonly form: Map<string, Raw>;
}): Call {
  const { state, tokens } = p.site;
  const token = takeText(p.form, 'wstoken');
  const limited = token === tokens.limited;
  const known = token === tokens.school || token === tokens.infoonly || limited;
  const user = state.users.get(limited ? 3 : 2);
  if (token === null || !known || user === undefined || user.deleted) {
    throw moodleFailure('invalidtoken', 'Invalid token - token not found');
  }
  if (limited && state.settings().webMaintenance) {
    throw moodleFailure(
      'sitemaintenance',
      'The site is undergoing maintenance and is currently not available',
    );
  }
  if (user.suspended) {
    throw moodleFailure(
      'wsaccessusersuspended',
      `Refused web service access for suspended username: ${fold(user.username)}`,
    );
  }
  const service = token === tokens.infoonly ? infoService : schoolService;
  return { state, base: p.base, user, admin: !limited, service };
}

function page(text: string): string {
  return `<!DOCTYPE html>\n<html><body><p>${text}</p></body></html>\n`;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(bytes);
}
