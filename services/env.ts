/** The one place that reads the environment. */

export interface Environment {
  /** postgresql://...; null: the embedded PostgreSQL below the home folder. */
  readonly databaseUrl: string | null;
  /** redis:// or rediss://...; null: the queues run on PostgreSQL. */
  readonly redisUrl: string | null;
  /** Tenant that the command line and the single-tenant service work for. */
  readonly tenant: string;
  readonly logLevel: string;
  /** Who may use the API; null: one token made at every start, for the embedded default. */
  readonly keycloak: {
    readonly kind: 'keycloak';
    readonly url: string;
    readonly realm: string;
    readonly clientId: string;
    readonly audience: string;
  } | null;
  /** Key of the hashes of civil numbers; null: they are not used to recognise people. */
  readonly identityKey: string | null;
  /** Reads a secret that the configuration names; null when it is not set or empty. */
  readonly secret: (name: string) => string | null;
}

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const text = (name: string) => {
    const value = env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  };
  const url = text('SKOLEBUS_AUTH_URL');
  const clientId = text('SKOLEBUS_AUTH_CLIENT') ?? 'skolebus';
  return {
    databaseUrl: text('DATABASE_URL'),
    redisUrl: text('REDIS_URL'),
    tenant: text('SKOLEBUS_TENANT') ?? 'kommune',
    logLevel: text('SKOLEBUS_LOG_LEVEL') ?? 'info',
    keycloak:
      url === null
        ? null
        : {
            kind: 'keycloak',
            url,
            realm: text('SKOLEBUS_AUTH_REALM') ?? 'skole',
            clientId,
            audience: text('SKOLEBUS_AUTH_AUDIENCE') ?? clientId,
          },
    identityKey: text('SKOLEBUS_IDENTITY_KEY'),
    secret: text,
  };
}
