import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { generate } from '../../services/generator/generate.ts';
import { countPlanned } from '../support/line.ts';
import { skolebus } from './command.ts';

// Ten commands, each a process that starts the database.
vi.setConfig({ testTimeout: 300_000 });

let dir = '';
let home = '';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skolebus-policy-'));
  home = join(dir, 'home');
  await generate({ out: join(dir, 'feed'), seed: 7, schools: 1, people: 60 });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const run = async (...args: readonly string[]) => {
  const ended = await skolebus([...args, '--home', home, '--json']);
  return { ...ended, said: ended.stdout === '' ? null : JSON.parse(ended.stdout) };
};
const sync = () => run('sync', '--feed', `ws17:${dir}/feed/day1/ws17`, '--yes');
const write = (text: string) => writeFileSync(join(home, 'policy.yaml'), text);
const quota = (size: string) => `version: 1
packages:
  - { name: pupils, when: { kinds: [pupil], roles: [pupil, student] }, gives: { keycloak: true, nextcloud: { quota: ${size} }, moodle: {} } }
  - { name: staff, when: { kinds: [staff] }, gives: { keycloak: true, nextcloud: { quota: 20 GB }, moodle: {} } }
  - { name: externals, when: { kinds: [external] }, gives: { keycloak: true, moodle: {} } }
`;

it('a changed policy.yaml is told, previewed, applied, and then in force', async () => {
  const first = await sync();
  expect(first.said.policy).toEqual({ version: null, state: 'first', warning: null });
  expect((await run('policy', 'list')).said.versions).toMatchObject([
    { version: 1, state: 'in-force' },
  ]);

  write(quota('5 GB'));
  const reworded = await sync();
  expect(reworded.said.policy).toEqual({ version: 2, state: 'reworded', warning: null });
  expect(countPlanned(reworded.said.plan)).toBe(0);

  write(quota('7 GB'));
  const untouched = await sync();
  expect(untouched.said.policy).toMatchObject({ version: 2, state: 'differs' });
  expect(untouched.said.policy.warning).toContain(`skolebus policy plan --home ${home}`);
  expect(countPlanned(untouched.said.plan)).toBe(0);

  const preview = await run('policy', 'plan');
  expect(preview.said.policy).toEqual({ version: 3, state: 'differs' });
  const { plan } = preview.said;
  expect(plan.changes.nextcloud.account.update).toBeGreaterThan(10);
  expect(plan.changes.nextcloud.account.create).toBe(0);
  expect((await run('policy', 'list')).said.versions[0].state).toBe('previewed');

  const applied = await run('apply', plan.id);
  expect(applied.said.result).toMatchObject({ failed: 0, waiting: 0 });
  const after = await sync();
  expect(after.said.policy).toEqual({ version: 3, state: 'same', warning: null });
  expect(countPlanned(after.said.plan)).toBe(0);
  const shown = await skolebus(['policy', 'show', '3', '--home', home]);
  expect(shown.stdout).toBe(quota('7 GB'));
});

it('a policy.yaml that cannot be read does not stop the night, but is no preview', async () => {
  write('version: 1\nlimits:\n  deactivate:\n    percent: much\n');
  const night = await sync();
  expect(night.said.policy).toMatchObject({ version: 3, state: 'invalid' });
  expect(night.said.policy.warning).toMatch(/policy\.yaml:4:/);
  expect(countPlanned(night.said.plan)).toBe(0);
  const preview = await run('policy', 'plan');
  expect(preview.code).toBe(1);
  expect(preview.said.error.message).toMatch(/policy\.yaml:4:/);
});

it('without a file any more, the default is a difference like every other', async () => {
  rmSync(join(home, 'policy.yaml'));
  const { said } = await sync();
  expect(said.policy.warning).toContain('The default policy of this version of Skolebus differs');
  expect(countPlanned(said.plan)).toBe(0);
});

it('names the remedy for a version that is not there', async () => {
  const { code, stderr } = await run('policy', 'show', '9');
  expect(code).toBe(2);
  expect(stderr).toContain('policy list');
});
