import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generate } from '../../services/generator/generate.ts';
import { observe, skolebus } from './command.ts';

let dir = '';
let home = '';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skolebus-plans-'));
  home = join(dir, 'home');
  mkdirSync(home);
  const rule = '{ actions: [create], atLeast: 100 }';
  writeFileSync(join(home, 'policy.yaml'), `version: 1\napproval: { fourEyes: [${rule}] }\n`);
  await generate({ out: join(dir, 'feed'), seed: 5, schools: 2, people: 80 });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function run(...args: readonly string[]) {
  const ended = await skolebus([...args, '--home', home, '--json']);
  return { code: ended.code, said: JSON.parse(ended.stdout), stderr: ended.stderr };
}

const feed = (day: number) => ['--feed', `ws17:${dir}/feed/day${day}/ws17`];

/** As scripts do it: two people, one school, the rest, a day, and the day turned back. */
it('plans are approved, committed in parts and undone', async () => {
  const stopped = await run('sync', ...feed(1), '--yes');
  expect(stopped.code).toBe(3);
  expect(stopped.said.plan.fourEyes).toBe(true);
  expect(stopped.said.result).toBeUndefined();
  expect(stopped.stderr).toContain('skolebus approve');
  const { id } = stopped.said.plan;

  const alone = await run('apply', id, '--as', 'ole');
  expect([alone.code, alone.said.error.code]).toEqual([1, 'plan-needs-approval']);
  expect((await run('approve', id, '--as', 'lis')).code).toBe(0);
  const part = await run('apply', id, '--as', 'ole', '--institution', '999001');
  expect(part.said.result).toMatchObject({ failed: 0, waiting: 0 });
  expect(part.said.commit.left).toBeGreaterThan(20);
  const schools = async () => {
    const all = await observe({ home, target: 'moodle', kind: 'category' });
    return all.filter((one) => one['key'] !== null).length;
  };
  expect(await schools()).toBe(1);

  const rest = await run('plan', ...feed(1));
  expect((await run('approve', rest.said.plan.id, '--as', 'lis')).code).toBe(0);
  const applied = await run('apply', rest.said.plan.id, '--as', 'ole');
  expect(applied.said.result).toMatchObject({ failed: 0, waiting: 0 });
  expect(await schools()).toBe(2);

  const day = await run('sync', ...feed(2), '--yes');
  expect(day.said.result.applied).toBeGreaterThan(5);
  const preview = await run('undo', day.said.plan.id);
  // On the made-up day one pupil's identity became protected: that is never turned back.
  const cannot = preview.said.plan.cannot.map((one: { code: string }) => one.code);
  expect([preview.code, new Set(cannot), preview.said.commit]).toEqual([
    3,
    new Set(['protected']),
    null,
  ]);
  const undone = await run('undo', day.said.plan.id, '--yes');
  expect(undone.code).toBe(3);
  expect(undone.said.result).toMatchObject({ failed: 0, waiting: 0 });

  const again = await run('sync', ...feed(2), '--yes');
  expect(again.code).toBe(3);
  expect(again.said.result).toMatchObject({ applied: 0 });
  const codes = again.said.plan.held.map((one: { code: string }) => one.code);
  expect(codes).toContain('undone');
  const unknown = await run('undo', 'no-plan');
  expect([unknown.code, unknown.said.error.code]).toEqual([1, 'plan-unknown']);
}, 400_000);
