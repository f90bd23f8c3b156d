/**
 * Start passwords of pupils too young for a brokered login. Nothing is stored: the words follow from a
 * secret and the person's key, so that they can be printed again as long as the secret is kept, and
 * Keycloak gets a finished hash, once, when the account is made.
 */

import { argon2, createHmac, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type CredentialRepresentation from '@keycloak/keycloak-admin-client/lib/defs/credentialRepresentation.js';
import { startWords } from './start-words.ts';

/**
 * Two Danish words and two digits, for example `hest-skov-42`: 22 bits. That is for a child's account
 * behind Keycloak's lock after ten wrong tries, and for nothing else.
 */
export function startPasswordOf(p: {
  readonly secret: string;
  /** Ledger key of the account, for example `person:<uuid>`. */
  readonly key: string;
}): string {
  const mac = createHmac('sha256', p.secret).update(`skolebus start password\0${p.key}`).digest();
  const word = (at: number) => startWords[mac.readUInt16BE(at) % startWords.length];
  const digits = 10 + (mac.readUInt32BE(4) % 90);
  return `${word(0)}-${word(2)}-${digits}`;
}

const hashAsync = promisify(argon2);

/** Keycloak 26's own parameters, so that no login makes it hash anew. */
const cost = { memory: 7168, passes: 5, parallelism: 1, tagLength: 32 } as const;

/**
 * The password as Keycloak 26 keeps it (argon2id 1.3). It compares base64 texts, so padding matters.
 * A finished hash is not held against the realm's password policy.
 */
export async function hashStartPassword(p: {
  readonly password: string;
  /** The pupil has to choose another one at the first login. */
  readonly change: boolean;
}): Promise<CredentialRepresentation> {
  const salt = randomBytes(16);
  const hash = await hashAsync('argon2id', { ...cost, message: p.password, nonce: salt });
  return {
    type: 'password',
    temporary: p.change,
    userLabel: 'start password',
    credentialData: JSON.stringify({
      hashIterations: cost.passes,
      algorithm: 'argon2',
      additionalParameters: {
        version: ['1.3'],
        type: ['id'],
        hashLength: [String(cost.tagLength)],
        memory: [String(cost.memory)],
        parallelism: [String(cost.parallelism)],
      },
    }),
    secretData: JSON.stringify({
      value: hash.toString('base64'),
      salt: salt.toString('base64'),
      additionalParameters: {},
    }),
  };
}
