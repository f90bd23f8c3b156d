import type { Behaviour } from './behaviour.ts';
import { answerCapabilities, answerStatus, coreRoutes } from './core.ts';
import { answerDav } from './dav.ts';
import { DavFault, davError } from './dav-error.ts';
import type { EditLimit } from './edit-limit.ts';
import { type Answer, type Ask, answerHtml, answerJson, jsonType } from './exchange.ts';
import { groupRoutes } from './groups.ts';
import { answerOcs, type Generation, type OcsResult, refuse } from './ocs.ts';
import { oidcRoutes } from './oidc.ts';
import { isSubadmin, matchRoute, type Route } from './route.ts';
import { shareRoutes } from './shares.ts';
import { type Caller, type Session, type SignIn, signIn } from './sign-in.ts';
import { inMaintenance, type State } from './state.ts';
import { folderRoutes } from './team-folders.ts';
import { userRoutes } from './users.ts';

export interface Server {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly sessions: Map<string, Session>;
  readonly editLimit: EditLimit;
}

export interface Reply {
  readonly answer: Answer;
  readonly cookies: readonly string[];
}

const ocsRoutes = [...coreRoutes, ...userRoutes, ...groupRoutes, ...shareRoutes, ...oidcRoutes];
const foldersPath = /^(?:\/index\.php)?\/apps\/groupfolders\/(.*)$/;
const unknownQuery =
  'Invalid query, please check the syntax. API specifications are here: http://www.freedesktop.org/wiki/Specifications/open-collaboration-services.\n';

export function dispatch(server: Server, ask: Ask, breakOff: boolean): Reply {
  if (!isTrustedHost(ask)) return bare(answerHtml(400));
  if (ask.path === '/status.php') return bare(answerStatus(server));
  if (ask.path.startsWith('/remote.php/')) return dispatchDav(server, ask);
  const ocs = /^\/ocs\/(v[12])\.php\/(.*)$/.exec(ask.path);
  if (ocs !== null) {
    const generation = ocs[1] as Generation;
    return dispatchOcs(server, { ask, generation, path: ocs[2] ?? '', breakOff });
  }
  const folders = foldersPath.exec(ask.path);
  if (folders !== null) return dispatchFolders(server, ask, folders[1] ?? '');
  return bare(inMaintenance(server.state) ? maintenancePage() : answerHtml(404));
}

function bare(answer: Answer): Reply {
  return { answer, cookies: [] };
}

function isTrustedHost(ask: Ask): boolean {
  const host = (ask.headers.host ?? '').replace(/:\d+$/, '');
  return ['127.0.0.1', 'localhost', '[::1]'].includes(host);
}

const maintenanceHeader = { 'X-Nextcloud-Maintenance-Mode': '1' };

function maintenancePage(): Answer {
  return answerHtml(503, { ...maintenanceHeader, 'Retry-After': '120' });
}

interface OcsAsk {
  readonly ask: Ask;
  readonly generation: Generation;
  readonly path: string;
  readonly breakOff: boolean;
}

function dispatchOcs(server: Server, p: OcsAsk): Reply {
  const { behaviour } = server;
  const { ask, generation } = p;
  if (inMaintenance(server.state)) {
    const result = refuse(503, 'Service unavailable');
    const headers = maintenanceHeader;
    const totals = generation === 'v1' && behaviour.maintenanceTotals;
    return bare(answerOcs({ ask, generation, result, headers, early: true, status: 503, totals }));
  }
  const who = signIn({ ...server, ask });
  if (who.state === 'wrong' || who.state === 'disabled') return bare(refuseLogin(server, p));
  if (p.path === 'cloud/capabilities') {
    const account = who.state === 'in';
    return reply(who, answerCapabilities({ behaviour, ask, generation, account }));
  }
  const { candidates, params } = matchRoute(ocsRoutes, p.path);
  if (candidates.length === 0) {
    return reply(
      who,
      answerOcs({ ask, generation, result: refuse(behaviour.unknownRoute, unknownQuery) }),
    );
  }
  if (who.state === 'anonymous') {
    const result = refuse(997, 'Current user is not logged in');
    return bare(answerOcs({ ask, generation, result }));
  }
  if (isForged(ask)) return reply(who, answerJson(412, { message: 'CSRF check failed' }));
  const route = candidates.find((one) => one.method === ask.method);
  if (route === undefined) {
    return reply(who, { status: 405, headers: { 'Content-Type': jsonType }, body: '' });
  }
  const refusal = refuseRights(server, route, who.caller);
  const outcome =
    refusal ?? route.handle({ ...server, ask, caller: who.caller, params, breakOff: p.breakOff });
  return reply(who, isAnswer(outcome) ? outcome : answerOcs({ ask, generation, result: outcome }));
}

function reply(who: SignIn, answer: Answer): Reply {
  return { answer, cookies: who.state === 'in' ? who.cookies : [] };
}

function isAnswer(outcome: OcsResult | Answer): outcome is Answer {
  return 'headers' in outcome && 'body' in outcome;
}

function isForged(ask: Ask): boolean {
  return ask.headers['ocs-apirequest'] === undefined && ask.headers['requesttoken'] === undefined;
}

/** 29.0.1 writes a refused login as XML and without the totals of v1, whatever was asked for. */
function refuseLogin(server: Server, p: OcsAsk): Answer {
  const forceXml = server.behaviour.refusesInXml;
  return answerOcs({
    ask: p.ask,
    generation: p.generation,
    result: refuse(997, 'Unauthorised'),
    headers: { 'WWW-Authenticate': 'Basic realm="Authorisation Required"' },
    early: true,
    forceXml,
    totals: p.generation === 'v1' && !forceXml,
  });
}

function refuseRights(server: Server, route: Route, caller: Caller): OcsResult | null {
  if (route.needs === 'admin' && !caller.admin) return refuse(403, server.behaviour.notAdmin);
  if (route.needs === 'subadmin' && !isSubadmin(caller)) {
    return refuse(403, 'Logged in account must be at least a sub admin');
  }
  if (route.confirm && !caller.confirmed) return refuse(403, 'Password confirmation is required');
  return null;
}

function dispatchFolders(server: Server, ask: Ask, path: string): Reply {
  if (inMaintenance(server.state)) return bare(maintenancePage());
  const who = signIn({ ...server, ask });
  if (who.state === 'wrong' || who.state === 'disabled')
    return bare(answerJson(401, { message: '' }));
  const { candidates, params } = matchRoute(folderRoutes, path);
  const route = candidates.find((one) => one.method === ask.method);
  if (route === undefined) return reply(who, answerHtml(candidates.length === 0 ? 404 : 405));
  const refuseWith = (result: OcsResult) => answerOcs({ ask, generation: 'v1', result });
  if (who.state === 'anonymous') {
    return bare(refuseWith(refuse(997, 'Current user is not logged in')));
  }
  if (isForged(ask)) return reply(who, answerJson(412, { message: 'CSRF check failed' }));
  const { caller } = who;
  if (route.needs === 'admin' && !caller.admin) {
    return reply(who, refuseWith(refuse(403, server.behaviour.notAdminFolders)));
  }
  if (route.confirm && !caller.confirmed) {
    return reply(who, refuseWith(refuse(403, 'Password confirmation is required')));
  }
  const outcome = route.handle({ ...server, ask, caller, params, breakOff: false });
  return reply(who, isAnswer(outcome) ? outcome : refuseWith(outcome));
}

function dispatchDav(server: Server, ask: Ask): Reply {
  const { behaviour } = server;
  if (inMaintenance(server.state)) {
    const fault = new DavFault('ServerMaintenanceMode', 503, 'System is in maintenance mode.');
    return bare(davError(fault));
  }
  const who = signIn({ ...server, ask });
  if (who.state === 'disabled') {
    return bare(davError(new DavFault('ServiceUnavailable', 503, behaviour.davDisabled)));
  }
  if (who.state !== 'in') {
    const wrong = who.state === 'wrong';
    const message = wrong ? behaviour.davWrongPassword : behaviour.davNoPassword;
    const headers = { 'WWW-Authenticate': 'Basic realm="Nextcloud", charset="UTF-8"' };
    return bare(davError(new DavFault('NotAuthenticated', 401, message), headers));
  }
  return reply(who, answerDav({ ...server, ask, user: who.caller.user }));
}
