import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connector } from '../../provisioning/target/contract.ts';
import { connectNextcloud } from '../../provisioning/target/nextcloud/connector.ts';
import { lookAsUsers } from './look.ts';
import type { ServerUnderTest } from './server.ts';
import { account, folder, gone, group, type MiniLedger, observed, openMiniLedger } from './work.ts';

const oidcChecks = [
  'oidc-provider',
  'oidc-user-id',
  'oidc-groups',
  'oidc-overwrites',
  'oidc-local-accounts',
];

/** What the connector must do with any Nextcloud; every run uses ids of its own and tidies up. */
export function nextcloudContract(p: {
  readonly title: string;
  /** In mode oidc with the provider `keycloak` set up as the check wants it. */
  readonly mode: 'local' | 'oidc';
  readonly start: () => Promise<ServerUnderTest>;
  /** False for 29.0.1 with Team folders 17.0.17, where WebDAV breaks inside Team folders. */
  readonly subfolders: boolean;
}): void {
  describe(p.title, () => {
    const run = `sb${randomBytes(3).toString('hex')}`;
    let server: ServerUnderTest;
    let connector: Connector;
    let ledger: MiniLedger;

    beforeAll(async () => {
      server = await p.start();
      connector = connectNextcloud({ name: 'nextcloud', mode: p.mode, ...server });
      ledger = openMiniLedger(connector);
    });

    afterAll(async () => {
      await connector?.[Symbol.asyncDispose]();
      await server?.[Symbol.asyncDispose]();
    });

    it('finds everything right', async () => {
      const results = await connector.check();

      expect(results.filter((result) => !result.ok)).toEqual([]);
      expect(results.map((result) => result.name)).toEqual([
        'server',
        'version',
        'admin-right',
        'team-folders',
        'write-probe',
        'webdav',
        'locking',
        'size',
        'edit-limit',
        ...(p.mode === 'local' ? [] : oidcChecks),
      ]);
    });

    it('creates, renames and deletes groups', async () => {
      const id = `${run}-7.A / Ærø Skole`;
      const created = await ledger.apply([group(id, { displayName: '7.A' })]);
      const renamed = await ledger.apply([group(id, { displayName: '8.A' })]);
      const seen = (await observed(connector, 'group')).get(id);
      const removed = await ledger.apply([gone(group(id))]);
      const again = await ledger.apply([gone(group(id))]);

      expect(created).toEqual([{ state: 'applied', externalId: id }]);
      expect(renamed).toEqual([{ state: 'applied', externalId: id }]);
      expect(seen?.body).toEqual({ groupId: id, displayName: '8.A', members: 0 });
      expect(removed).toEqual([{ state: 'applied', externalId: null }]);
      expect(again).toEqual([{ state: 'applied', externalId: null }]);
      expect((await observed(connector, 'group')).has(id)).toBe(false);
    });

    it('rejects a group id that would become a hash, and one that somebody else has', async () => {
      const id = `${run}-taken`;
      await ledger.apply([group(id)]);
      ledger.forget('group', id);

      const outcomes = await ledger.apply([group(id), group(`${run}${'g'.repeat(64)}`)]);

      expect(outcomes).toMatchObject([
        { state: 'rejected', code: 'group-taken' },
        { state: 'rejected', code: 'group-id-too-long' },
      ]);
      const adopted = await ledger.apply([{ ...group(id), attempts: 1 }]);
      expect(adopted).toEqual([{ state: 'applied', externalId: id }]);
      await ledger.apply([gone(group(id))]);
    });

    it('creates, changes, disables, enables and deletes an account', async () => {
      const id = `${run}elev`;
      const [a, b] = [`${run}-7a`, `${run}-elever`];
      await ledger.apply([group(a), group(b)]);
      const row = account(id, { email: `${id}@skole-101.example.test`, groups: [a, b] });
      const created = await ledger.apply([row]);
      const first = (await observed(connector, 'account')).get(id);
      const changed = await ledger.apply([
        account(id, {
          displayName: 'Åse Ærø',
          quota: 'none',
          language: 'en',
          groups: [b],
          active: false,
        }),
      ]);
      const second = (await observed(connector, 'account')).get(id);
      const enabled = await ledger.apply([account(id, { displayName: 'Åse Ærø', groups: [b] })]);
      const third = (await observed(connector, 'account')).get(id);
      const removed = await ledger.apply([gone(row)]);

      expect(created).toEqual([{ state: 'applied', externalId: id }]);
      expect(first?.body).toEqual({
        userId: id,
        displayName: `Elev ${id}`,
        email: `${id}@skole-101.example.test`,
        quota: `${2 * 1024 ** 3} B`,
        language: 'da',
        active: true,
        groups: [a, b],
        lastLogin: 0,
      });
      expect(changed).toEqual([{ state: 'applied', externalId: id }]);
      expect(second?.body).toMatchObject({
        displayName: 'Åse Ærø',
        email: null,
        quota: 'none',
        language: 'en',
        active: false,
        groups: [b],
      });
      expect(enabled).toEqual([{ state: 'applied', externalId: id }]);
      expect(third?.body).toMatchObject({ active: true, quota: `${2 * 1024 ** 3} B` });
      expect(removed).toEqual([{ state: 'applied', externalId: null }]);
      expect((await observed(connector, 'account')).has(id)).toBe(false);
      await ledger.apply([gone(group(a)), gone(group(b))]);
    });

    it('answers for every row of a batch on its own', async () => {
      const outcomes = await ledger.apply([
        account(`${run}god1`),
        account(`${run}bad æ`),
        account(`${run}bad2`, { quota: 'mange' }),
        account(`${run}bad3`, { groups: [`${run}-findes-ikke`] }),
        account(`${run}bad4`, { displayName: 'Å'.repeat(65) }),
        account('admin'),
        account(`${run}god2`),
      ]);

      expect(outcomes).toMatchObject([
        { state: 'applied' },
        { state: 'rejected', code: 'username-refused' },
        { state: 'rejected', code: 'quota-refused' },
        { state: 'retry', code: 'needs-group' },
        { state: 'rejected', code: 'display-name-refused' },
        { state: 'rejected', code: 'account-protected' },
        { state: 'applied' },
      ]);
      await ledger.apply([gone(account(`${run}god1`)), gone(account(`${run}god2`))]);
    });

    it('completes what an earlier attempt left half made, and takes nobody else’s account', async () => {
      const id = `${run}halv`;
      const late = account(id, { displayName: 'Halvt Lavet', quota: '1 GB' });
      const refused = await ledger.apply([account(id, { language: 'xx' })]);
      const taken = await ledger.apply([late]);
      const completed = await ledger.apply([{ ...late, attempts: 1 }]);
      const seen = (await observed(connector, 'account')).get(id);

      // The server makes the account and then refuses the language.
      expect(refused).toMatchObject([{ state: 'rejected', code: 'language-refused' }]);
      expect(taken).toMatchObject([{ state: 'rejected', code: 'username-taken' }]);
      expect(completed).toEqual([{ state: 'applied', externalId: id }]);
      expect(seen?.body).toMatchObject({
        displayName: 'Halvt Lavet',
        quota: `${1024 ** 3} B`,
        language: 'da',
      });
      await ledger.apply([gone(late)]);
    });

    it('takes back what a write gave whose answer was lost, when it is wanted no more', async () => {
      const id = `${run}flyt`;
      const [a, b] = [`${run}-7a`, `${run}-7b`];
      await ledger.apply([group(a), group(b)]);
      await ledger.apply([account(id, { groups: [a] })]);
      await ledger.apply([folder(id, { access: { [a]: 15 } })]);
      ledger.doubt('account', id);
      ledger.doubt('folder', id);
      await ledger.apply([{ ...account(id, { groups: [b] }), attempts: 1 }]);
      await ledger.apply([{ ...folder(id, { access: { [b]: 15 } }), attempts: 1 }]);

      expect((await observed(connector, 'account')).get(id)?.body['groups']).toEqual([b]);
      const folders = [...(await observed(connector, 'folder')).values()];
      const mine = folders.filter((one) => one.body['mountPoint'] === id);
      expect(mine.map((one) => one.body['access'])).toEqual([{ [b]: 15 }]);
      for (const row of [account(id), folder(id), group(a), group(b)]) {
        await ledger.apply([gone(row)]);
      }
    });

    it('creates, opens, renames, closes and deletes Team folders', async () => {
      const [pupils, teachers] = [`${run}-7a`, `${run}-laerere`];
      await ledger.apply([group(pupils), group(teachers)]);
      const name = `${run} 7.A Fælles`;
      const row = folder(name, { access: { [pupils]: 15, [teachers]: 31 }, quota: 1024 ** 3 });
      const created = await ledger.apply([row]);
      const id = ledger.externalId('folder', name) ?? '';
      const first = (await observed(connector, 'folder')).get(id);
      const next = `${run} 8.A Fælles`;
      await ledger.apply([
        { ...folder(next, { access: { [teachers]: 31 }, active: false }), key: name },
      ]);
      const second = (await observed(connector, 'folder')).get(id);
      const removed = await ledger.apply([gone(row)]);

      expect(created).toEqual([{ state: 'applied', externalId: id }]);
      expect(first?.body).toEqual({
        mountPoint: name,
        quota: 1024 ** 3,
        access: { [pupils]: 15, [teachers]: 31 },
        size: 0,
      });
      expect(second?.body).toMatchObject({
        mountPoint: next,
        quota: -3,
        access: { [teachers]: 1 },
      });
      expect(removed).toEqual([{ state: 'applied', externalId: null }]);
      expect((await observed(connector, 'folder')).has(id)).toBe(false);
      await ledger.apply([gone(group(pupils)), gone(group(teachers))]);
    });

    it('closes a subfolder to pupils, writes it once, and keeps out of the folder itself', async () => {
      const [pupils, teachers] = [`${run}-7c`, `${run}-7c-laerere`];
      const [pupil, teacher] = [`${run}elev7c`, `${run}lrr7c`];
      await ledger.apply([group(pupils), group(teachers)]);
      // Local in every mode: they look for themselves, and need a password for that.
      await using local = connectNextcloud({ name: 'nextcloud', mode: 'local', ...server });
      const people = openMiniLedger(local);
      for (const key of [pupils, teachers]) people.know({ kind: 'group', key, externalId: key });
      await people.apply([
        account(pupil, { groups: [pupils] }),
        account(teacher, { groups: [pupils, teachers] }),
      ]);
      const name = `${run} 7.C & Ærø`;
      const access = { [pupils]: 15, [teachers]: 15 };
      const row = folder(name, {
        access,
        subfolders: [
          { path: 'Aflevering', access: { [pupils]: 5 } },
          { path: 'Lærere/Kun os', access: { [pupils]: 0, [teachers]: 15 } },
        ],
      });
      const created = await ledger.apply([row]);
      const id = ledger.externalId('folder', name) ?? '';
      if (!p.subfolders) {
        expect(created).toMatchObject([{ state: 'retry', code: 'subfolder-write-failed' }]);
      } else {
        expect(created).toEqual([{ state: 'applied', externalId: id }]);
        const users = [pupil, teacher];
        const paths = ['Aflevering', 'Lærere/Kun os'];
        const seenBy = await lookAsUsers({
          server,
          users,
          paths: paths.map((one) => `${name}/${one}`),
        });
        expect(seenBy).toEqual({
          [pupil]: ['read create', 'hidden'],
          [teacher]: ['read create', 'read create change'],
        });
        expect((await observed(connector, 'folder')).get(id)?.body['access']).toEqual(access);
        const next = `${name} 2`;
        const renamed = folder(next, { ...row.desired, mountPoint: next, active: false });
        expect(await ledger.apply([{ ...renamed, key: name }])).toMatchObject([
          { state: 'applied' },
        ]);
        const later = await lookAsUsers({
          server,
          users,
          paths: paths.map((one) => `${next}/${one}`),
        });
        expect(later).toEqual({ [pupil]: ['read', 'hidden'], [teacher]: ['read', 'read'] });
      }
      // A folder whose row never succeeded is known by its name only.
      for (const one of (await observed(connector, 'folder')).values()) {
        if (!String(one.body['mountPoint']).startsWith(name)) continue;
        ledger.know({ kind: 'folder', key: name, externalId: one.externalId });
        await ledger.apply([gone(row)]);
      }
      await people.apply([gone(account(pupil)), gone(account(teacher))]);
      await ledger.apply([gone(group(pupils)), gone(group(teachers))]);
    }, 60_000);

    it('never makes a second folder of one mount point', async () => {
      const name = `${run} Lærere`;
      await ledger.apply([folder(name)]);
      const taken = await ledger.apply([{ ...folder(name), key: 'another' }]);
      ledger.forget('folder', name);
      const adopted = await ledger.apply([{ ...folder(name), attempts: 1 }]);
      const missing = await ledger.apply([
        folder(`${run} x`, { access: { [`${run}-findes-ikke`]: 31 } }),
      ]);

      expect(taken).toMatchObject([{ state: 'rejected', code: 'mount-point-taken' }]);
      expect(adopted).toMatchObject([{ state: 'applied' }]);
      expect(missing).toMatchObject([{ state: 'retry', code: 'needs-group' }]);
      const mounts = [...(await observed(connector, 'folder')).values()].map(
        (one) => one.body['mountPoint'],
      );
      expect(mounts.filter((mount) => mount === name)).toHaveLength(1);
      expect(mounts).not.toContain(`${run} x`);
      await ledger.apply([gone(folder(name))]);
    });

    it('makes 60 accounts in parallel batches, none doubled and none half', async () => {
      const rows = Array.from({ length: 60 }, (_, index) =>
        account(`${run}p${String(index).padStart(2, '0')}`, { groups: [`${run}-alle`] }),
      );
      await ledger.apply([group(`${run}-alle`)]);

      const outcomes = await Promise.all(
        [0, 20, 40].map((from) => ledger.apply(rows.slice(from, from + 20))),
      );

      expect(outcomes.flat().filter((outcome) => outcome.state !== 'applied')).toEqual([]);
      const seen = await observed(connector, 'account');
      for (const row of rows) {
        expect(seen.get(row.key)?.body).toMatchObject({
          displayName: `Elev ${row.key}`,
          language: 'da',
          groups: [`${run}-alle`],
        });
      }
      await ledger.apply(rows.map(gone));
      await ledger.apply([gone(group(`${run}-alle`))]);
    }, 300_000);
  });
}
