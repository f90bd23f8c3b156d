import type { Request, RequestHandler } from 'express';
import type { Actor } from '../../provisioning/plan/guard.ts';
import { keycloakGate } from './keycloak.ts';
import { localTokenGate } from './local-token.ts';

/** `operator` may do all that `reader` may, and write. */
export type Role = 'reader' | 'operator';

export type Access =
  /** For the embedded demo on loopback: one secret that may do everything. */
  | { readonly kind: 'local-token'; readonly token: string }
  | {
      readonly kind: 'keycloak';
      /** As browsers see it: tokens carry it as their issuer, which must match to the letter. */
      readonly url: string;
      readonly realm: string;
      /** The client that asks for tokens (the console): what `azp` must say. */
      readonly clientId: string;
      /** The client that stands for this API: what `aud` must hold, and whose client roles count. */
      readonly audience: string;
    };

/** Who may pass, and how a browser signs in. */
export interface Gate {
  readonly access: Access;
  /** Answers 401 or 403 as problem+json, or lets the request through. */
  require(role: Role): RequestHandler;
  /** Whether the request would pass; for the console, which asks before it shows anything. */
  allows(p: { readonly request: Request; readonly role: Role }): Promise<boolean>;
  /** Who sent a request that was let through. */
  actor(request: Request): Promise<Actor>;
}

export function openGate(access: Access): Gate {
  switch (access.kind) {
    case 'local-token':
      return localTokenGate(access);
    case 'keycloak':
      return keycloakGate(access);
  }
}
