import { join } from 'node:path';
import type { RequestHandler } from 'express';
import express from 'express';
import helmet from 'helmet';
import type { Access } from './access.ts';

/** Nothing but our own files, and Keycloak's token endpoint where people sign in there. */
export function protectPages(access: Access): RequestHandler {
  const keycloak = access.kind === 'keycloak' ? [new URL(access.url).origin] : [];
  return helmet({
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'", ...keycloak],
        frameAncestors: ["'none'"],
        formAction: ["'self'"],
        // It would turn every address of a console on plain http into one that does not answer.
        upgradeInsecureRequests: null,
      },
    },
    frameguard: { action: 'deny' },
  });
}

/** The built console: its files, and its one page for every address that it draws by itself. */
export function serveConsole(folder: string): readonly RequestHandler[] {
  const files = express.static(folder, {
    index: false,
    setHeaders: (response, file) => {
      // Files in assets/ carry a hash of their content in the name.
      const fixed = file.includes(`${join(folder, 'assets')}/`);
      response.set('Cache-Control', fixed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const page: RequestHandler = (request, response, next) => {
    const isPage =
      (request.method === 'GET' || request.method === 'HEAD') &&
      !request.path.startsWith('/api/') &&
      !request.path.startsWith('/k_') &&
      !request.path.split('/').at(-1)?.includes('.') &&
      request.accepts(['json', 'html']) === 'html';
    if (!isPage) {
      next();
      return;
    }
    response.set('Cache-Control', 'no-cache');
    response.sendFile('index.html', { root: folder });
  };
  return [files, page];
}
