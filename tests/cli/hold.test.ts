import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Hold } from '../../provisioning/plan/hold-inbox.ts';
import { generate } from '../../services/generator/generate.ts';
import { skolebus } from './command.ts';

// Every command is a process that starts the database.
vi.setConfig({ testTimeout: 300_000 });

let home = '';
let dir = '';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skolebus-hold-'));
  home = join(dir, 'home');
  await generate({ out: join(dir, 'feed'), seed: 7, schools: 2, people: 160 });
  await skolebus(['plan', '--feed', `ws17:${dir}/feed/day1/ws17`, '--home', home, '--json']);
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const hold = async (...args: readonly string[]) => {
  const ended = await skolebus(['hold', ...args, '--home', home, '--json']);
  return { ...ended, said: ended.stdout === '' ? null : JSON.parse(ended.stdout) };
};

it('lists, shows, decides and takes back, as scripts use it', async () => {
  const holds: readonly Hold[] = (await hold('list')).said.holds;
  expect(holds.map(({ code }) => code)).toEqual(['protected-without-alias']);
  const id = holds[0]?.id ?? '';
  expect((await hold('show', id)).said.hold).toEqual(holds[0]);
  expect((await hold('list', '--code', 'undone')).said.holds).toEqual([]);

  const decided = await hold(
    'decide',
    id,
    'wait',
    '--rule',
    '--until',
    '2099-06-30',
    '--as',
    'anna',
  );
  expect(decided.code).toBe(0);
  expect(decided.said.hold.decision).toMatchObject({ choice: 'wait', scope: 'rule', by: 'anna' });
  expect((await hold('list')).said.holds).toEqual([]);
  expect((await hold('list', '--decided')).said.holds).toEqual([decided.said.hold]);

  const again = await hold('decide', id, 'wait');
  expect(again.code).toBe(1);
  expect(again.said.error.code).toBe('hold-not-open');
  expect(again.stderr).toContain(`hold revoke ${id}`);
  expect((await hold('revoke', id)).code).toBe(0);
});

it.each([
  [['decide', '7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10', 'wait'], 'hold list'],
  [['show', 'none'], 'hold list'],
  [['decide', 'none', 'wait', '--rule', '--until', 'soon'], '2027-06-30'],
])('names the remedy of wrong use: %j', async (args, remedy) => {
  const { code, stderr } = await hold(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(remedy);
});
