import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Access } from '../../services/api/access.ts';

export type Signer = (input: string) => string;

/** A realm that signs what a test asks it to, and serves its keys as Keycloak does. */
export interface TestRealm extends AsyncDisposable {
  readonly access: Extract<Access, { kind: 'keycloak' }>;
  readonly issuer: string;
  readonly publicPem: string;
  /** Of a token that is good in every way. */
  claims(role?: string): Record<string, unknown>;
  sign(p: {
    readonly claims: object | string;
    readonly header?: object;
    readonly signer?: Signer;
  }): string;
}

export const goodHeader = { alg: 'RS256', typ: 'JWT', kid: 'one' };

export const base64url = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Seconds since 1970, as tokens count. */
export const now = () => Math.floor(Date.now() / 1000);

export async function openRealm(): Promise<TestRealm> {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  // At .../protocol/openid-connect/certs.
  const certs = createServer((_request, response) => {
    const key = keys.publicKey.export({ format: 'jwk' });
    const jwk = { ...key, kid: 'one', use: 'sig', alg: 'RS256' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => certs.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(certs.address() as AddressInfo).port}`;
  const issuer = `${url}/realms/kommune`;
  const rs256: Signer = (input) =>
    sign('sha256', Buffer.from(input), keys.privateKey).toString('base64url');
  return {
    access: {
      kind: 'keycloak',
      url,
      realm: 'kommune',
      clientId: 'skolebus-console',
      audience: 'skolebus-api',
    },
    issuer,
    publicPem: String(keys.publicKey.export({ type: 'spki', format: 'pem' })),
    claims: (role = 'skolebus-operator') => ({
      iss: issuer,
      typ: 'Bearer',
      sub: 'f3a1',
      iat: now(),
      exp: now() + 300,
      aud: ['skolebus-api', 'account'],
      azp: 'skolebus-console',
      realm_access: { roles: ['offline_access'] },
      resource_access: { 'skolebus-api': { roles: [role] } },
    }),
    sign({ claims, header = goodHeader, signer = rs256 }) {
      const input = `${base64url(header)}.${base64url(claims)}`;
      return `${input}.${signer(input)}`;
    },
    async [Symbol.asyncDispose]() {
      certs.closeAllConnections();
      await new Promise((resolve) => certs.close(resolve));
    },
  };
}
