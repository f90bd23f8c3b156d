/** The one place that reads the environment. */

export interface TraceSettings {
  /** Where a collector takes OTLP over HTTP, with `/v1/traces`. */
  readonly url: string;
  readonly service: string;
  /** Share of the traces that are recorded, 0 to 1. */
  readonly ratio: number;
  /** How long a collector may take, tries again included; whoever closes waits no longer for it either. */
  readonly timeoutMs: number;
}

export interface Environment {
  /** postgresql://...; null: the embedded PostgreSQL below the home folder. */
  readonly databaseUrl: string | null;
  /** redis:// or rediss://...; null: the queues run on PostgreSQL. */
  readonly redisUrl: string | null;
  /** Tenant that the command line and the single-tenant service work for. */
  readonly tenant: string;
  /** Null: what the command that runs finds best. */
  readonly logLevel: string | null;
  /** Where traces go, by the variables that OpenTelemetry defines; null: none are recorded. */
  readonly traces: TraceSettings | null;
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
    logLevel: text('SKOLEBUS_LOG_LEVEL'),
    traces: readTraces(text),
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

function readTraces(text: (name: string) => string | null): TraceSettings | null {
  const base = text('OTEL_EXPORTER_OTLP_ENDPOINT');
  const url =
    text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ??
    (base === null ? null : `${base.replace(/\/+$/, '')}/v1/traces`);
  if (url === null || text('OTEL_SDK_DISABLED') === 'true') return null;
  const ratio = Number(text('OTEL_TRACES_SAMPLER_ARG') ?? 1);
  return {
    url,
    service: text('OTEL_SERVICE_NAME') ?? 'skolebus',
    ratio: ratio >= 0 && ratio <= 1 ? ratio : 1,
    // The usual ten seconds are long at the end of a command whose collector is away.
    timeoutMs: Number(text('OTEL_EXPORTER_OTLP_TIMEOUT') ?? 3000) || 3000,
  };
}
