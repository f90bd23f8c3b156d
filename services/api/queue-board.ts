import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { Queues } from '../worker/queues.ts';
import type { Gate } from './access.ts';
import { defineEndpoint } from './endpoint.ts';
import { ApiError } from './problem.ts';
import type { SignedCookie } from './signed-cookie.ts';
import { makeSignedCookie } from './signed-cookie.ts';

const path = '/queues';

/**
 * What an operator's browser shows at the board, since a page that is opened sends no bearer token. It
 * opens nothing else. Its secret is of this process: a restart ends it, and so does a quarter of an
 * hour, after which the console is asked for a new one, and with it whether the role is still there.
 */
export function makeBoardPass(): SignedCookie {
  return makeSignedCookie({
    name: 'skolebus_queues',
    secret: randomBytes(32).toString('base64url'),
    purpose: 'skolebus-queues',
    path,
    seconds: 15 * 60,
  });
}

export const openQueueBoard = defineEndpoint({
  method: 'post',
  path: '/api/v1/queue-board',
  role: 'operator',
  id: 'openQueueBoard',
  summary: 'Lets this browser see the tickets at /queues for 15 minutes',
  description: 'Sets a cookie that is sent to /queues only and opens nothing else.',
  answer: z.void(),
  status: 204,
  problems: ['not-found'],
  run: async ({ context, request, response }) => {
    if (context.queues === null) {
      throw new ApiError({ code: 'not-found', detail: 'This process has no queues.' });
    }
    context.boardPass.give({ request, response });
  },
});

/**
 * bull-board over the three lanes, for operators, to look at. It writes nothing: what an operator may
 * stop is stopped in the ledger, by brakes, which lost tickets do not undo.
 */
export function serveQueueBoard(p: {
  readonly queues: Queues;
  readonly gate: Gate;
  readonly pass: SignedCookie;
}): readonly [string, ...RequestHandler[]] {
  const requireOperator = p.gate.require('operator');
  const admit: RequestHandler = (request, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ApiError({
        code: 'method-not-allowed',
        detail: 'The tickets can be looked at here. To stop work, set a brake.',
        headers: { Allow: 'GET, HEAD' },
      });
    }
    if (p.pass.isIn(request)) {
      next();
      return;
    }
    return requireOperator(request, response, next);
  };
  let board: Promise<RequestHandler> | null = null;
  const show: RequestHandler = async (request, response, next) => {
    board ??= makeBoard(p.queues);
    await (await board)(request, response, next);
  };
  return [path, admit, show];
}

/** Loaded when somebody looks: it takes a quarter of a second, which every command would wait for. */
async function makeBoard(queues: Queues): Promise<RequestHandler> {
  const { createBullBoard } = await import('@bull-board/api');
  const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
  const { ExpressAdapter } = await import('@bull-board/express');
  const serverAdapter = new ExpressAdapter().setBasePath(path);
  createBullBoard({
    queues: queues.lanes.map((lane) => new BullMQAdapter(lane, { readOnlyMode: true })),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Skolebus',
        // Versions and addresses of servers are for those who run them.
        hideRedisDetails: true,
        pollingInterval: { forceInterval: 5 },
      },
    },
  });
  return serverAdapter.getRouter() as RequestHandler;
}
