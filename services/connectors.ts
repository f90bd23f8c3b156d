import type { Policy } from '../provisioning/policy/schema.ts';
import type { Connector } from '../provisioning/target/contract.ts';
import { connectKeycloak } from '../provisioning/target/keycloak/connector.ts';
import { connectMoodle } from '../provisioning/target/moodle/connector.ts';
import { connectNextcloud } from '../provisioning/target/nextcloud/connector.ts';
import type { PaceClock } from '../provisioning/target/pace/pace.ts';
import type { TargetConfig } from './config.ts';
import { ConfigError } from './config.ts';
import type { SandboxAddresses } from './sandbox/sandbox.ts';

/**
 * Makes a connector for every configured target; nothing is contacted yet.
 *
 * @throws ConfigError when a named secret is not in the environment
 */
export function connectTargets(p: {
  readonly targets: readonly TargetConfig[];
  readonly policy: Policy;
  readonly secret: (name: string) => string | null;
}): ReadonlyMap<string, Connector> {
  function secretOf(name: string): string {
    const value = p.secret(name);
    if (value !== null) return value;
    throw new ConfigError(
      `The environment variable ${name}, which targets.yaml names, is not set. Set it and start again.`,
    );
  }
  return byName(p.targets.map((target) => connectTarget({ target, secretOf, policy: p.policy })));
}

function connectTarget(p: {
  readonly target: TargetConfig;
  readonly secretOf: (name: string) => string;
  readonly policy: Policy;
}): Connector {
  const { target, secretOf } = p;
  const { name, url } = target;
  function startSecret(env: string): string {
    const value = secretOf(env);
    if (value.length >= 32) return value;
    throw new ConfigError(
      `${env} is shorter than 32 characters: start passwords could be guessed from it.`,
    );
  }
  switch (target.type) {
    case 'keycloak': {
      const { clientId, clientSecretEnv, identityProviders, startPasswordEnv, ...rest } = target;
      return connectKeycloak({
        ...rest,
        credentials: { clientId, clientSecret: secretOf(clientSecretEnv) },
        identityProviders: identityProviders.map(({ secretEnv, ...provider }) => ({
          ...provider,
          clientSecret: secretEnv === null ? null : secretOf(secretEnv),
        })),
        startPasswordSecret: startPasswordEnv === null ? null : startSecret(startPasswordEnv),
      });
    }
    case 'nextcloud': {
      const { user, mode, providerIdentifier } = target;
      const password = secretOf(target.passwordEnv);
      return connectNextcloud({ name, url, user, password, mode, providerIdentifier });
    }
    case 'moodle':
      return connectMoodle({
        name,
        url,
        token: secretOf(target.tokenEnv),
        profileFields: profileFieldsOf(p.policy),
      });
  }
}

/** Custom profile fields that some package fills in; Moodle's check says which it lacks. */
function profileFieldsOf(policy: Policy): readonly string[] {
  const names = policy.packages.flatMap((one) =>
    Object.keys(one.gives.moodle?.profileFields ?? {}),
  );
  return [...new Set(names)].sort();
}

/** The connectors of the three stand-ins, named by their type; their pace goes by the system's clock by default. */
export function connectSandbox(
  addresses: SandboxAddresses,
  clock?: PaceClock,
): ReadonlyMap<string, Connector> {
  const { keycloak, nextcloud, moodle } = addresses;
  const pace = clock === undefined ? {} : { clock };
  return byName([
    connectKeycloak({
      name: 'keycloak',
      url: keycloak.url,
      realm: 'skole',
      credentials: { user: keycloak.user, password: keycloak.password },
      idpAlias: null,
      ...pace,
    }),
    connectNextcloud({
      name: 'nextcloud',
      url: nextcloud.url,
      user: nextcloud.user,
      password: nextcloud.password,
      mode: 'local',
      ...pace,
    }),
    connectMoodle({ name: 'moodle', url: moodle.url, token: moodle.tokens.school, ...pace }),
  ]);
}

function byName(connectors: readonly Connector[]): ReadonlyMap<string, Connector> {
  return new Map(connectors.map((connector) => [connector.name, connector]));
}
