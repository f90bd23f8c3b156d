import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { shortestIdentityKey } from '../provisioning/feed/civil.ts';

const secretName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'the name of an environment variable');
const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens');
const url = z.url({ protocol: /^https?$/ });

const role = z.string().min(1).max(255);

/** What `prepare` sets up in a realm beyond the rest; all of it may be left out. */
const keycloakRealm = {
  realmRoles: z.array(role).default([]),
  api: z
    .strictObject({
      audience: z.string().min(1).default('skolebus-api'),
      console: z
        .strictObject({
          clientId: z.string().min(1).default('skolebus-console'),
          origins: z
            .array(z.string().regex(/^https?:\/\/[^/\s]+$/, 'scheme, host and port'))
            .min(1),
        })
        .nullable()
        .default(null),
    })
    .nullable()
    .default(null),
  identityProviders: z
    .array(
      z.strictObject({
        alias: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, 'an identity provider alias'),
        providerId: z.literal('oidc').default('oidc'),
        displayName: z.string().min(1).nullable().default(null),
        config: z.record(z.string(), z.string()),
        secretEnv: secretName.nullable().default(null),
        linkClaim: z.string().min(1).nullable().default(null),
      }),
    )
    .default([]),
  organization: z
    .strictObject({
      alias: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'),
      name: z.string().min(1).max(255),
      domain: z.string().min(1).nullable().default(null),
    })
    .nullable()
    .default(null),
  startPasswordEnv: secretName.nullable().default(null),
};

const Target = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('keycloak'),
    name: name.default('keycloak'),
    url,
    realm: z.string().min(1),
    clientId: z.string().min(1).default('skolebus'),
    clientSecretEnv: secretName,
    idpAlias: z.string().nullable().default(null),
    ...keycloakRealm,
  }),
  z.strictObject({
    type: z.literal('nextcloud'),
    name: name.default('nextcloud'),
    url,
    user: z.string().min(1),
    passwordEnv: secretName,
    mode: z.enum(['local', 'oidc']).default('oidc'),
    providerIdentifier: z.string().default('keycloak'),
  }),
  z.strictObject({
    type: z.literal('moodle'),
    name: name.default('moodle'),
    url,
    tokenEnv: secretName,
  }),
]);
export type TargetConfig = z.infer<typeof Target>;

const Config = z.strictObject({ targets: z.array(Target).min(1) });

/** The configuration cannot be used: which file, where in it, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config-invalid';
}

/** Targets of `<home>/targets.yaml`, or null when there is no such file: then the stand-ins serve. */
export async function readTargets(home: string): Promise<readonly TargetConfig[] | null> {
  const file = join(home, 'targets.yaml');
  const text = await readIfThere(file);
  if (text === null) return null;
  const result = Config.safeParse(parse(text));
  if (!result.success) {
    const problems = result.error.issues.map(
      (i) => `  ${i.path.join('.') || '(file)'}: ${i.message}`,
    );
    throw new ConfigError(`${file} cannot be used:\n${problems.join('\n')}`);
  }
  const names = result.data.targets.map((target) => target.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) {
    throw new ConfigError(`${file}: two targets are called ${twice}. Give each a name of its own.`);
  }
  return result.data.targets;
}

/** @throws ConfigError for a key that could be guessed */
export function checkIdentityKey(key: string | null): void {
  if (key === null || key.length >= shortestIdentityKey) return;
  throw new ConfigError(
    `SKOLEBUS_IDENTITY_KEY is too short: ${shortestIdentityKey} characters or more are needed. "openssl rand -hex 24" makes one.`,
  );
}

const defaultPolicy = new URL('../provisioning/policy/default.yaml', import.meta.url);

/** `<home>/policy.yaml`, or the default policy that comes with Skolebus, as it is written. */
export async function readPolicyText(
  home: string,
): Promise<{ readonly text: string; readonly file: string }> {
  const file = join(home, 'policy.yaml');
  const text = await readIfThere(file);
  if (text !== null) return { text, file };
  return { text: await readFile(defaultPolicy, 'utf8'), file: 'default.yaml' };
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
