import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFeed } from '../../provisioning/feed/read.ts';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { generate } from '../../services/generator/generate.ts';
import { countPlanned } from '../support/line.ts';
import { observe, skolebus } from './command.ts';

let dir = '';
let home = '';
const feed = (day: number, form = 'ws17') => `${dir}/feed/day${day}/${form}`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skolebus-cli-'));
  home = join(dir, 'home');
  await generate({ out: join(dir, 'feed'), seed: 7, schools: 2, people: 160 });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function sync(p: { readonly feed: string; readonly home?: string; readonly yes?: boolean }) {
  const args = ['sync', '--feed', p.feed, '--home', p.home ?? home, '--json'];
  const ended = await skolebus(p.yes === false ? args : [...args, '--yes']);
  return { ...ended, said: JSON.parse(ended.stdout) as SyncSaid };
}

interface SyncSaid {
  readonly snapshot: {
    readonly people: number;
    readonly affiliations: Readonly<Record<string, number>>;
    readonly diagnostics: readonly unknown[];
  };
  readonly plan: PlanSummary;
  readonly result?: Readonly<Record<'applied' | 'failed' | 'waiting', number>>;
  readonly error?: { readonly code: string; readonly file: string; readonly line: number };
}

/** How many of the feed's people the default policy gives accounts: everybody but children of the after-school care. */
async function countEntitled(path: string): Promise<number> {
  const entitled = new Set<string>();
  for await (const item of readFeed({ format: 'ws17', path })) {
    if (item.type !== 'record' || item.record.entity !== 'affiliation') continue;
    const { kind, roles, person } = item.record;
    if (kind !== 'guardian' && roles.some((role) => role !== 'child')) entitled.add(person);
  }
  return entitled.size;
}

const truth = () => JSON.parse(readFileSync(join(dir, 'feed', 'truth.json'), 'utf8')).days;

describe('sync, as scripts use it', () => {
  it('shows the plan first, and writes nothing', async () => {
    const { code, said } = await sync({ feed: `ws17:${feed(1)}`, yes: false });
    // The made-up municipality has one protected person without an alias.
    expect(code).toBe(3);
    expect(said.snapshot.people).toBe(truth()[0].people);
    expect(said.plan.changes['keycloak']?.['account']?.create).toBe(await countEntitled(feed(1)));
    expect(said.result).toBeUndefined();
    expect(await observe({ home, target: 'keycloak', kind: 'account' })).toEqual([]);
  });

  it('applies, and a second sync plans nothing', async () => {
    const first = await sync({ feed: `ws17:${feed(1)}` });
    expect(first.said.result).toMatchObject({ failed: 0, waiting: 0 });
    expect(first.said.result?.applied).toBe(countPlanned(first.said.plan));
    const second = await sync({ feed: `ws17:${feed(1)}` });
    expect(countPlanned(second.said.plan)).toBe(0);
    expect(second.said.result).toMatchObject({ applied: 0, failed: 0, waiting: 0 });
  });

  it('has set down in every target what the truth has', async () => {
    const accounts = await observe({ home, target: 'keycloak', kind: 'account' });
    const entitled = await countEntitled(feed(1));
    expect(accounts).toHaveLength(entitled);
    const classes = (await observe({ home, target: 'moodle', kind: 'cohort' })).length;
    expect(classes).toBe(truth()[0].groups.class);
    const moodle = await observe({ home, target: 'moodle', kind: 'account' });
    expect(moodle.filter((one) => one['key'] !== null)).toHaveLength(entitled);
    const nextcloud = await observe({ home, target: 'nextcloud', kind: 'account' });
    const external = truth()[0].affiliations.external;
    expect(nextcloud.filter((one) => one['key'] !== null)).toHaveLength(entitled - external);
  });

  it.each(['oneroster11.zip', 'oneroster12.zip'])('reads the same from %s', async (form) => {
    const { said } = await sync({ feed: `oneroster:${feed(1, form)}` });
    expect(countPlanned(said.plan)).toBe(0);
  });

  it('plans an ordinary second day, and nothing after it', async () => {
    const { said } = await sync({ feed: `oneroster:${feed(2, 'oneroster12.zip')}` });
    const { joiners, leavers } = truth()[1].events;
    expect(said.plan.changes['keycloak']?.['account']).toMatchObject({
      create: joiners,
      deactivate: leavers,
      delete: 0,
    });
    expect(said.result).toMatchObject({ failed: 0, waiting: 0 });
    expect(countPlanned((await sync({ feed: `ws17:${feed(2)}` })).said.plan)).toBe(0);
  });
});

describe('a feed that cannot be trusted', () => {
  it('is refused with the place, and changes nothing', async () => {
    const bad = join(dir, 'bad');
    await generate({ out: bad, seed: 7, schools: 2, people: 160 });
    const file = join(bad, 'day1', 'ws17', '999001.xml');
    truncateSync(file, Math.floor(readFileSync(file).length / 2));
    const { code, said } = await sync({ feed: `ws17:${join(bad, 'day1', 'ws17')}` });
    expect(code).toBe(1);
    expect(said.error).toMatchObject({ code: 'feed-truncated', file: '999001.xml' });
    expect(countPlanned((await sync({ feed: `ws17:${feed(2)}` })).said.plan)).toBe(0);
  });
});

describe('wrong use names the remedy', () => {
  it.each([
    [['sync', '--feed', 'excel:x'], 'ws17:'],
    [['sync'], '--feed'],
    [['snyc'], '--help'],
    [['observe', '--target', 'ldap', '--kind', 'account'], 'keycloak, nextcloud, moodle'],
    [['observe', '--target', 'moodle', '--kind', 'folder'], 'course'],
    [['demo', '--people', 'many'], 'whole number'],
  ])('%s', async (args, remedy) => {
    const withHome = args[0] === 'observe' ? [...args, '--home', home] : args;
    const { code, stderr } = await skolebus(withHome);
    expect(code).toBe(2);
    expect(stderr).toContain(remedy);
  });

  it('a policy with a mistake is named with its line', async () => {
    const other = join(dir, 'other');
    await skolebus(['status', '--home', other]);
    writeFileSync(
      join(other, 'policy.yaml'),
      'version: 1\nlimits:\n  deactivate:\n    percent: much\n',
    );
    const { code, stderr } = await skolebus(['status', '--home', other]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/policy\.yaml.*4/s);
  });

  it('--help explains every command', async () => {
    const { code, stdout } = await skolebus(['--help']);
    expect(code).toBe(0);
    for (const command of [
      'demo',
      'sync',
      'plan',
      'apply',
      'show',
      'observe',
      'sandbox',
      'generate',
      'status',
      'retry',
      'check',
      'serve',
      'test',
    ]) {
      expect(stdout).toContain(command);
    }
  });
});
