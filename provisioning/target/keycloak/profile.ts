/**
 * The realm's user profile. Attributes that are not declared there are dropped with a 201 all the
 * same, and a required field stops a pupil without e-mail at every login.
 */

import { isDeepStrictEqual } from 'node:util';
import type {
  UserProfileAttribute,
  UserProfileConfig,
} from '@keycloak/keycloak-admin-client/lib/defs/userProfileMetadata.js';
import { statusOf } from './failure.ts';
import { accountAttributes } from './mark.ts';
import type { KeycloakSession } from './session.ts';

const keptMs = 300_000;
const kept = new WeakMap<
  KeycloakSession,
  { readonly at: number; readonly names: Promise<ReadonlySet<string> | null> }
>();

/** Names that the realm keeps when we write them; null when it keeps all, or when we may not know. */
export async function readDeclaredAttributes(
  session: KeycloakSession,
): Promise<ReadonlySet<string> | null> {
  const before = kept.get(session);
  if (before !== undefined && performance.now() - before.at < keptMs) {
    const names = await before.names;
    // A realm that was not prepared may be by now; a prepared one stays so.
    if (names === null || accountAttributes.every((own) => names.has(own.name))) return names;
  }
  const names = listDeclared(session);
  kept.set(session, { at: performance.now(), names });
  names.catch(() => kept.delete(session));
  return names;
}

async function listDeclared(session: KeycloakSession): Promise<ReadonlySet<string> | null> {
  try {
    const profile = await session.read(() => session.client.users.getProfile());
    const policy = String(profile.unmanagedAttributePolicy ?? 'DISABLED');
    if (policy === 'ENABLED' || policy === 'ADMIN_EDIT') return null;
    return new Set((profile.attributes ?? []).flatMap((attribute) => attribute.name ?? []));
  } catch (error) {
    if (statusOf(error) === 403) return null;
    throw error;
  }
}

/** The profile as we need it: everything of the current one that is not ours to say stays. */
export function desiredProfile(current: UserProfileConfig): UserProfileConfig {
  const own = new Map(accountAttributes.map((attribute) => [attribute.name, attribute]));
  const present = current.attributes ?? [];
  const names = new Set(present.map((attribute) => attribute.name));
  return {
    ...current,
    attributes: [
      ...present.map((attribute) => {
        const name = attribute.name ?? '';
        const ours = own.get(name);
        if (ours !== undefined) return { ...attribute, ...declaration(ours) };
        return basicNames.has(name) ? relaxed(attribute) : attribute;
      }),
      ...accountAttributes.filter((attribute) => !names.has(attribute.name)).map(declaration),
    ],
  };
}

export function sameProfile(a: UserProfileConfig, b: UserProfileConfig): boolean {
  return isDeepStrictEqual(a, b);
}

const basicNames = new Set(['username', 'email', 'firstName', 'lastName']);

/**
 * Not required, and ours alone to edit. The default name guard refuses brackets, slashes and more
 * ("Ida (vikar)"), so names are only kept free of what could open an HTML element.
 */
function relaxed(attribute: UserProfileAttribute): UserProfileAttribute {
  const { required: _required, ...rest } = attribute;
  const { 'person-name-prohibited-characters': strict, ...validations } = rest.validations ?? {};
  return {
    ...rest,
    validations:
      strict === undefined ? validations : { ...validations, pattern: { pattern: '^[^<>]*$' } },
    permissions: { view: ['admin', 'user'], edit: ['admin'] },
  };
}

function declaration(own: (typeof accountAttributes)[number]): UserProfileAttribute {
  return {
    name: own.name,
    displayName: own.name,
    permissions: { view: ['admin'], edit: ['admin'] },
    validations: {
      length: { max: 255 },
      ...(own.multivalued ? { multivalued: { max: 200 } } : {}),
    },
    multivalued: own.multivalued,
  };
}
