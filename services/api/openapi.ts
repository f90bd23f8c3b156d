import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import { createDocument } from 'zod-openapi';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { Problem, problemStatus } from './problem.ts';

/** The description of `endpoints` and of itself. */
export function describeApi(endpoints: readonly Endpoint[]): Endpoint {
  const own = defineEndpoint({
    method: 'get',
    path: '/api/v1/openapi.json',
    role: null,
    id: 'describe',
    summary: 'This description, OpenAPI 3.1',
    answer: z.record(z.string(), z.unknown()),
    run: async () => document,
  });
  const document: Record<string, unknown> = { ...makeDocument([...endpoints, own]) };
  return own;
}

function makeDocument(endpoints: readonly Endpoint[]) {
  const paths: ZodOpenApiPathsObject = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: toOperation(endpoint) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Skolebus',
      version: '1',
      description:
        'From the school-admin feed to Keycloak, Nextcloud and Moodle: what is planned, what is done, what waits.',
      license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' },
    },
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token of Keycloak, or the local token of an embedded instance',
        },
        session: { type: 'apiKey', in: 'cookie', name: 'skolebus_session' },
      },
    },
  });
}

function toOperation(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { answer } = endpoint;
  const parameters = {
    ...(endpoint.params === null ? {} : { path: endpoint.params }),
    ...(endpoint.query === null ? {} : { query: endpoint.query }),
    ...(endpoint.headers === null ? {} : { header: endpoint.headers }),
  };
  return {
    operationId: endpoint.id,
    summary: endpoint.summary,
    ...(endpoint.description === null ? {} : { description: endpoint.description }),
    security: endpoint.role === null ? [] : [{ bearer: [] }, { session: [] }],
    ...(endpoint.role === null ? {} : { 'x-skolebus-role': endpoint.role }),
    requestParams: parameters,
    ...(endpoint.body === null
      ? {}
      : { requestBody: { content: { 'application/json': { schema: endpoint.body } } } }),
    responses: {
      [`${answer.status}` as '200']: {
        description: answer.status === 204 ? 'Done' : endpoint.summary,
        ...(answer.status === 204
          ? {}
          : { content: { [answer.type]: { schema: answer.schema ?? z.string() } } }),
      },
      ...problemResponses(endpoint),
    },
  };
}

function problemResponses(endpoint: Endpoint) {
  const codes = [...new Set([...endpoint.problems, 'internal' as const])];
  const statuses = new Set(codes.map((code) => problemStatus[code]));
  return Object.fromEntries(
    [...statuses].map((status) => [
      `${status}`,
      {
        description: codes.filter((code) => problemStatus[code] === status).join(', '),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  );
}
