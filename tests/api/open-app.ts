import type { Express } from 'express';
import { pino } from 'pino';
import type { Test } from 'supertest';
import request from 'supertest';
import { createApi } from '../../services/api/app.ts';
import type { Line } from '../support/line.ts';

const token = 'a-token-for-tests';

export interface TestApi {
  readonly app: Express;
  /** Signed in; the path is behind `/api/v1`. */
  get(path: string): Test;
  post(path: string, body: object): Test;
  remove(path: string): Test;
}

/** The API over a line, without queues and without a console. */
export function openApp(
  line: Line,
  p: { readonly onCommitted?: () => Promise<void> } = {},
): TestApi {
  const app = createApi({
    database: line.database,
    tenant: line.tenant,
    queues: null,
    access: { kind: 'local-token', token },
    console: null,
    onCommitted: p.onCommitted ?? (async () => {}),
    logger: pino({ level: 'silent' }),
  });
  const signed = (asked: Test) => asked.auth(token, { type: 'bearer' });
  return {
    app,
    get: (path) => signed(request(app).get(`/api/v1${path}`)),
    post: (path, body) => signed(request(app).post(`/api/v1${path}`)).send(body),
    remove: (path) => signed(request(app).delete(`/api/v1${path}`)),
  };
}
