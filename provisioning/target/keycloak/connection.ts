/** What one Keycloak target is told by its configuration. Everything optional is off when it is absent. */

import type { PaceClock } from '../pace/pace.ts';

export interface KeycloakConnection {
  readonly name: string;
  /** Base address, without `/admin` or `/realms`. */
  readonly url: string;
  readonly realm: string;
  /** An administrator of the master realm, or a client with a service account in `realm`. */
  readonly credentials:
    | { readonly user: string; readonly password: string }
    | { readonly clientId: string; readonly clientSecret: string };
  /**
   * Where brokered logins are written ahead: a string is the alias to use whatever provider a link
   * names; null writes no links; absent uses each link's own provider name as the alias. A link to
   * an alias that the realm does not have is left out, since the server would take it and hide it.
   */
  readonly idpAlias?: string | null;
  /** Per call, 30 s unless given. */
  readonly timeoutMs?: number;
  /** What the pace goes by; the system's unless given. */
  readonly clock?: PaceClock;
  /** Identity providers that `prepare` sets up; others of the realm are left alone. */
  readonly identityProviders?: readonly IdentityProvider[];
  /** Realm roles that `prepare` makes, so that groups can carry them. */
  readonly realmRoles?: readonly string[];
  /** The clients by which people use Skolebus's own API and console. */
  readonly api?: ApiClients | null;
  /** Set where many tenants share the realm; see `organization.ts`. */
  readonly organization?: TenantOrganization | null;
  /** Start passwords are derived from it; at least 32 characters. See `start-password.ts`. */
  readonly startPasswordSecret?: string | null;
}

export interface IdentityProvider {
  readonly alias: string;
  readonly providerId: 'oidc';
  /** On the button of the login page; null shows the alias. */
  readonly displayName: string | null;
  /** Keycloak's own keys (clientId, issuer, authorizationUrl, tokenUrl, jwksUrl...), without the secret. */
  readonly config: Readonly<Record<string, string>>;
  readonly clientSecret: string | null;
  /** The claim that holds what links are written with (the UNI-ID); null: the provider's own `sub`. */
  readonly linkClaim: string | null;
}

export interface ApiClients {
  /** The client that stands for the API: what a token's `aud` must hold, and whose roles count. */
  readonly audience: string;
  /** The public client through which people sign in to the console; null makes none. */
  readonly console: {
    readonly clientId: string;
    /** Scheme, host and port of every address that the console has, without a slash at the end. */
    readonly origins: readonly string[];
  } | null;
}

export interface TenantOrganization {
  /** For life: Keycloak refuses to change it. */
  readonly alias: string;
  readonly name: string;
  /** Mail domain; null has none. */
  readonly domain: string | null;
}
