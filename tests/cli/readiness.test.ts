import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { generate } from '../../services/generator/generate.ts';
import { skolebus } from './command.ts';

// Every command is a process that starts the database.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let dir = '';
let home = '';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skolebus-readiness-'));
  home = join(dir, 'home');
  await generate({ out: join(dir, 'feed'), seed: 7, schools: 2, people: 60 });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const readiness = async (...more: readonly string[]) => {
  const ended = await skolebus(['readiness', '--home', home, ...more]);
  return { ...ended, said: more.includes('--json') ? JSON.parse(ended.stdout) : null };
};

it('prints one line per home, and everybody is ready after a sync', async () => {
  const feed = `ws17:${dir}/feed/day1/ws17`;
  await skolebus(['plan', '--feed', feed, '--home', home, '--json']);
  const planned = await readiness('--json');
  expect(planned.code).toBe(0);
  expect(planned.stdout.trimEnd()).not.toContain('\n');
  expect(planned.said.ready).toBe(0);
  expect(planned.said.missing).toBe(planned.said.people);
  expect(planned.said.reasons[0].cause).toBe('approval');
  expect(planned.said.institutions).toHaveLength(2);

  await skolebus(['sync', '--feed', feed, '--home', home, '--yes', '--json']);
  const done = await readiness('--json', '--alarm');
  expect(done.code).toBe(0);
  expect(done.said).toMatchObject({
    people: planned.said.people,
    missing: 0,
    eta: null,
    late: false,
  });
  for (const one of done.said.institutions) {
    expect(one).toMatchObject({ missing: 0, ready: one.people, eta: null, late: false });
    expect(one.people).toBeGreaterThan(0);
  }
  const told = await readiness();
  expect(told.stdout).toContain('(100 %)');
});
