/** Login flows, and the mappers of identity providers: kept and shown, never run. */

import { type Answer, type Call, noContent, notFound, objectIn, ok, refuse } from './answer.ts';
import type { Json, KeycloakState, RealmDoc } from './state.ts';

interface In {
  readonly state: KeycloakState;
  readonly realm: RealmDoc;
  readonly call: Call;
}

const builtIn = { alias: 'first broker login', providerId: 'basic-flow', topLevel: true };

function flowsOf(realm: RealmDoc): Json[] {
  realm.flows ??= [];
  return realm.flows;
}

export function listFlows(p: In): Answer {
  const shown = flowsOf(p.realm).map(({ executions: _executions, ...flow }) => flow);
  return ok([{ id: 'first-broker-login', ...builtIn, builtIn: true }, ...shown]);
}

export function createFlow(p: In): Answer {
  const body = objectIn(p.call);
  const { alias } = body;
  if (alias === builtIn.alias || flowsOf(p.realm).some((flow) => flow['alias'] === alias)) {
    throw refuse(409, `Flow ${String(alias)} already exists`);
  }
  const id = p.state.newId();
  flowsOf(p.realm).push({ ...body, id, executions: [] });
  save(p);
  return { status: 201, location: `${p.call.path}/${id}` };
}

function save(p: In): void {
  p.state.realms.set(p.realm.realm, p.realm);
}

function executionsOf(p: In): Json[] {
  const flow = flowsOf(p.realm).find((one) => one['alias'] === p.call.params[0]);
  if (flow === undefined) throw notFound('flow not found');
  return flow['executions'] as Json[];
}

export function listExecutions(p: In): Answer {
  return ok(executionsOf(p));
}

/** A new step does nothing until it is made REQUIRED. */
export function addExecution(p: In): Answer {
  const executions = executionsOf(p);
  const id = p.state.newId();
  executions.push({
    id,
    requirement: 'DISABLED',
    requirementChoices: ['REQUIRED', 'DISABLED'],
    providerId: objectIn(p.call)['provider'],
    level: 0,
    index: executions.length,
    priority: executions.length,
  });
  save(p);
  return {
    status: 201,
    location: `/admin/realms/${p.realm.realm}/authentication/executions/${id}`,
  };
}

export function updateExecution(p: In): Answer {
  const body = objectIn(p.call);
  const execution = executionsOf(p).find((one) => one['id'] === body['id']);
  if (execution === undefined) throw notFound('illegal execution');
  execution['requirement'] = body['requirement'];
  save(p);
  return noContent;
}

function mappersOf(p: In): Json[] {
  const provider = p.realm.providers.find((one) => one['alias'] === p.call.params[0]);
  if (provider === undefined) throw notFound('HTTP 404 Not Found');
  provider['mappers'] ??= [];
  return provider['mappers'] as Json[];
}

export function listProviderMappers(p: In): Answer {
  return ok(mappersOf(p));
}

export function createProviderMapper(p: In): Answer {
  const body = objectIn(p.call);
  const mappers = mappersOf(p);
  if (mappers.some((mapper) => mapper['name'] === body['name'])) {
    throw refuse(
      400,
      `Failed to add mapper '${String(body['name'])}' to identity provider [oidc].`,
    );
  }
  const id = p.state.newId();
  mappers.push({ ...body, id });
  save(p);
  return { status: 201, location: `${p.call.path}/${id}` };
}

export function updateProviderMapper(p: In): Answer {
  const mapper = mappersOf(p).find((one) => one['id'] === p.call.params[1]);
  if (mapper === undefined) throw notFound('Model not found');
  Object.assign(mapper, objectIn(p.call));
  save(p);
  return noContent;
}
