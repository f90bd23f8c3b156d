import { afterAll, beforeAll, expect } from 'vitest';
import { openRaw, type Raw, type Server } from './admin-api.ts';
import { type Relay, startRelay } from './relay.ts';

/** A realm of its own for the tests of one describe block, removed after them. */
export function useRealm(p: { readonly server: () => Server; readonly prefix: string }): {
  readonly realm: string;
  readonly raw: Raw;
  readonly newUser: (body: Record<string, unknown>) => Promise<string>;
} {
  const realm = `${p.prefix}-${process.pid}`;
  let opened: Raw | null = null;

  // The server is there only when the tests run, not when they are declared.
  const raw: Raw = {
    get url() {
      return p.server().url;
    },
    realm,
    call(...request) {
      opened ??= openRaw({ server: p.server(), realm });
      return opened.call(...request);
    },
  };

  beforeAll(async () => {
    await raw.call('DELETE', '');
    expect(await raw.call('POST', '/admin/realms', { realm, enabled: true })).toMatchObject({
      status: 201,
    });
    return async () => {
      await raw.call('DELETE', '');
    };
  });

  async function newUser(body: Record<string, unknown>): Promise<string> {
    const made = await raw.call('POST', 'users', body);
    expect(made.status).toBe(201);
    return made.id;
  }

  return { realm, raw, newUser };
}

/** No realm yet, and a relay before the server: for tests of how a realm comes to be. */
export function useRelay(p: {
  readonly server: () => Server;
  readonly realm: string;
  readonly onOpen: (opened: { readonly raw: Raw; readonly relay: Relay }) => void;
}): void {
  let raw: Raw;
  let relay: Relay;
  beforeAll(async () => {
    raw = openRaw({ server: p.server(), realm: p.realm });
    await raw.call('DELETE', '');
    relay = await startRelay(p.server().url);
    p.onOpen({ raw, relay });
  });
  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await raw.call('DELETE', '');
  });
}
