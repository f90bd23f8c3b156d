import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tellHolds } from '../../provisioning/store/hold.ts';
import { createApi, endpoints } from '../../services/api/app.ts';
import { addChanges, addPlan, openMunicipality, tenant } from './municipality.ts';
import type { Signer, TestRealm } from './realm.ts';
import { base64url, goodHeader, now, openRealm } from './realm.ts';

const otherKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ecKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let municipality: Awaited<ReturnType<typeof openMunicipality>>;
let app: ReturnType<typeof createApi>;
let realm: TestRealm;

beforeAll(async () => {
  municipality = await openMunicipality();
  realm = await openRealm();
  app = createApi({
    database: municipality.database,
    tenant,
    queues: null,
    access: realm.access,
    console: null,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  await realm[Symbol.asyncDispose]();
  await municipality[Symbol.asyncDispose]();
});

const goodClaims = (role?: string) => realm.claims(role);
const makeToken = (
  p: { readonly claims?: object | string; readonly header?: object; readonly signer?: Signer } = {},
) => realm.sign({ claims: goodClaims(), ...p });

const plans = '/api/v1/plans';
const commit = `${plans}/7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10/commit`;
const get = (token: string) => request(app).get(plans).auth(token, { type: 'bearer' });
const post = (token: string) => request(app).post(commit).auth(token, { type: 'bearer' });
const without = (...names: readonly string[]) =>
  Object.fromEntries(Object.entries(goodClaims()).filter(([name]) => !names.includes(name)));

describe('a good token', () => {
  it('reads and writes as an operator', async () => {
    expect((await get(makeToken())).status).toBe(200);
    expect((await post(makeToken())).body.code).toBe('plan-unknown');
  });

  it('only reads as a reader', async () => {
    const token = makeToken({ claims: goodClaims('skolebus-reader') });

    expect((await get(token)).status).toBe(200);
    const response = await post(token);
    expect(response.status).toBe(403);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body.code).toBe('forbidden');
  });

  it('may carry its role as one of the realm', async () => {
    const claims = { ...goodClaims('x'), realm_access: { roles: ['skolebus-operator'] } };

    expect((await post(makeToken({ claims }))).body.code).toBe('plan-unknown');
  });

  it.each([
    [{ preferred_username: 'anna' }, 'anna'],
    [{}, 'f3a1'],
  ])('names who decides a hold: %j', async (more, by) => {
    const hold = { code: 'undone', subject: by, institution: null, person: null, evidence: {} };
    const id = await municipality.database.as(tenant, async (tx) => {
      await tellHolds({ tx, codes: ['undone'], holds: [hold] });
      const rows = await tx.query<{ id: string }>('select id from hold where subject = $1', [by]);
      return rows[0]?.id ?? '';
    });

    const response = await request(app)
      .post(`/api/v1/holds/${id}/decision`)
      .auth(makeToken({ claims: { ...goodClaims(), ...more } }), { type: 'bearer' })
      .send({ choice: 'allow' });

    expect(response.body.decision).toMatchObject({ choice: 'allow', by });
  });

  it('stands for one person, by its id', async () => {
    const planId = await municipality.database.as(tenant, async (tx) => {
      const id = await addPlan({ tx });
      await addChanges({ tx, planId: id, count: 4 });
      await tx.execute('update plan set four_eyes = true where id = $1', [id]);
      return id;
    });
    const as = (sub: string, name: string) => {
      const token = makeToken({ claims: { ...goodClaims(), sub, preferred_username: name } });
      return (what: string) =>
        request(app).post(`${plans}/${planId}/${what}`).auth(token, { type: 'bearer' });
    };

    expect((await as('f3a1', 'lone')('approve')).body.approvals).toMatchObject([{ name: 'lone' }]);
    expect((await as('f3a1', 'ole')('commit')).body.code).toBe('plan-needs-approval');
    expect((await as('b2c4', 'lone')('commit')).body).toMatchObject({ committed: 3, held: 1 });
  });

  it('is told what it may do', async () => {
    const token = makeToken({ claims: goodClaims('skolebus-reader') });

    const known = await request(app).get('/api/v1/session').auth(token, { type: 'bearer' });
    const stranger = await request(app).get('/api/v1/session');

    expect(known.body).toMatchObject({ access: 'keycloak', mayRead: true, mayWrite: false });
    expect(stranger.body).toMatchObject({ mayRead: false, mayWrite: false });
    expect(stranger.body.keycloak).toMatchObject({
      realm: 'kommune',
      clientId: 'skolebus-console',
    });
  });

  it.each(endpoints.filter((one) => one.role !== null).map((one) => [one.id, one] as const))(
    'without a role is forbidden %s',
    async (_id, endpoint) => {
      const path = endpoint.path.replace('{id}', '1').replace('{name}', 'keycloak');

      const response = await request(app)
        [endpoint.method](path)
        .auth(makeToken({ claims: goodClaims('teacher') }), {
          type: 'bearer',
        });

      expect(response.body.code).toBe('forbidden');
    },
  );
});

describe('a token is refused', () => {
  const cases: Readonly<Record<string, () => string>> = {
    'without exp': () => makeToken({ claims: without('exp') }),
    'with an exp of text': () => makeToken({ claims: { ...goodClaims(), exp: 'never' } }),
    'that is over': () => makeToken({ claims: { ...goodClaims(), exp: now() - 1 } }),
    'with nbf in the future': () => makeToken({ claims: { ...goodClaims(), nbf: now() + 60 } }),
    'for another audience': () => makeToken({ claims: { ...goodClaims(), aud: 'account' } }),
    'without an audience': () => makeToken({ claims: without('aud') }),
    'given to another client': () => makeToken({ claims: { ...goodClaims(), azp: 'moodle' } }),
    'without azp': () => makeToken({ claims: without('azp') }),
    'of another issuer': () => makeToken({ claims: { ...goodClaims(), iss: `${realm.issuer}x` } }),
    'that is an ID token': () => makeToken({ claims: { ...goodClaims(), typ: 'ID' } }),
    'that is a refresh token': () => makeToken({ claims: { ...goodClaims(), typ: 'Refresh' } }),
    'signed with another key': () =>
      makeToken({
        signer: (input) =>
          sign('sha256', Buffer.from(input), otherKeys.privateKey).toString('base64url'),
      }),
    'of an unknown key id': () => makeToken({ header: { ...goodHeader, kid: 'two' } }),
    'with alg none': () => makeToken({ header: { ...goodHeader, alg: 'none' }, signer: () => '' }),
    'with alg none over a good signature': () =>
      makeToken({ header: { ...goodHeader, alg: 'none' } }),
    'with HS256 over the public key': () =>
      makeToken({
        header: { ...goodHeader, alg: 'HS256' },
        signer: (input) => createHmac('sha256', realm.publicPem).update(input).digest('base64url'),
      }),
    'with ES256': () =>
      makeToken({
        header: { ...goodHeader, alg: 'ES256' },
        signer: (input) =>
          sign('sha256', Buffer.from(input), ecKeys.privateKey).toString('base64url'),
      }),
    'with roles that are no list': () =>
      makeToken({ claims: { ...goodClaims(), realm_access: { roles: 'skolebus-operator' } } }),
    'whose content was changed after signing': () => {
      const [header, , signature] = makeToken({ claims: goodClaims('skolebus-reader') }).split('.');
      return `${header}.${base64url(goodClaims())}.${signature}`;
    },
    'of null': () => makeToken({ claims: 'null' }),
    'of no JSON': () => makeToken({ claims: '{"exp":' }),
    'of one part': () => 'abc',
  };

  it.each(Object.entries(cases))('%s', async (_name, make) => {
    const response = await get(make());

    expect(response.status).toBe(401);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="kommune", error="invalid_token"',
    );
    expect(response.body.code).toBe('unauthenticated');
  });

  it('when there is none', async () => {
    const response = await request(app).get(plans);

    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="kommune"');
  });

  it('when it comes in another place than the header', async () => {
    const token = makeToken();

    expect((await request(app).get(plans).query({ access_token: token })).status).toBe(401);
    expect((await request(app).get(plans).set('Cookie', `skolebus_session=${token}`)).status).toBe(
      401,
    );
  });

  it('whatever is written into the header', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: fc.constantFrom(...'aA.=-_{}" 0') }),
          fc
            .array(fc.json(), { minLength: 1, maxLength: 4 })
            .map((parts) => parts.map(base64url).join('.')),
        ),
        async (text) => {
          const response = await request(app).get(plans).set('Authorization', `Bearer ${text}`);
          expect(response.status).toBe(401);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("keycloak-connect's own addresses", () => {
  it.each(['/k_logout', '/k_push_not_before', '/logout', '/api/v1/k_logout'])(
    'are not there: %s',
    async (path) => {
      for (const response of [
        await request(app).post(path).send('garbage'),
        await request(app).get(path),
      ]) {
        expect(response.status).toBe(404);
        expect(response.body.code).toBe('not-found');
      }
    },
  );

  it('never sends anyone to a login page', async () => {
    const response = await request(app)
      .get(plans)
      .set('Host', 'evil.example')
      .set('Accept', 'text/html');

    expect(response.status).toBe(401);
    expect(response.headers['location']).toBeUndefined();
  });

  it('nor opens a session with the local token', async () => {
    const response = await request(app).post('/api/v1/session').send({ token: 'x' });

    expect(response.body.code).toBe('not-found');
  });
});
