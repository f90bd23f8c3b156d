/** The two handlers that `middleware()` would mount together with its public administration paths. */
declare module 'keycloak-connect/middleware/setup.js' {
  import type { RequestHandler } from 'express';

  const setup: RequestHandler;
  export = setup;
}
declare module 'keycloak-connect/middleware/grant-attacher.js' {
  import type { RequestHandler } from 'express';
  import type Keycloak from 'keycloak-connect';

  function attachGrant(keycloak: Keycloak.Keycloak): RequestHandler;
  export = attachGrant;
}
