import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { generate } from '../../services/generator/generate.ts';
import { countPlanned } from '../support/line.ts';
import { observe, skolebus } from './command.ts';

let dir = '';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skolebus-crash-'));
  await generate({ out: join(dir, 'feed'), seed: 3, schools: 2, people: 200 });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/**
 * The process is killed after the plan was made (before the commit, in it, or after it) and in the
 * middle of applying. Stand-ins live in the same process, so requests under way die with it: some
 * were written and never answered.
 */
it('killed again and again, the sync loses nothing and doubles nothing', async () => {
  const home = join(dir, 'home');
  const args = ['sync', '--feed', `ws17:${dir}/feed/day1/ws17`, '--home', home, '--yes', '--json'];
  const kills = [
    { words: 'Feed:', afterMs: 0 },
    { words: 'Plan ', afterMs: 150 },
    { words: '[', afterMs: 0 },
    { words: '[', afterMs: 120 },
    { words: '[', afterMs: 400 },
  ];
  for (const kill of kills) {
    expect((await skolebus(args, { kill })).code).toBeNull();
  }
  // What the last killed process had claimed is taken over when its lease of 15 seconds is over.
  const last = await skolebus([...args]);
  const { result } = JSON.parse(last.stdout) as { result: { failed: number; waiting: number } };
  expect(result).toMatchObject({ failed: 0, waiting: 0 });

  const accounts = await observe({ home, target: 'keycloak', kind: 'account' });
  const names = accounts.map((one) => one['username']);
  expect(names.length).toBeGreaterThan(150);
  expect(new Set(names).size).toBe(names.length);
  const { plan } = JSON.parse(last.stdout) as { plan: PlanSummary };
  expect(countPlanned(plan)).toBe(0);
  for (const [target, kind, name] of [
    ['nextcloud', 'folder', 'mountPoint'],
    ['moodle', 'course', 'shortname'],
    ['moodle', 'cohort', 'key'],
    ['keycloak', 'group', 'path'],
  ] as const) {
    const all = (await observe({ home, target, kind })).map((one) => one[name]);
    expect(new Set(all).size, `${target} ${kind}`).toBe(all.length);
  }
  const again = await skolebus(args);
  expect(JSON.parse(again.stdout)).toMatchObject({ result: { applied: 0, failed: 0, waiting: 0 } });
}, 240_000);
