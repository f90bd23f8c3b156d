import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sync } from '../../provisioning/sync.ts';
import { openContext, typesOfTargets } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { generate } from '../generator/generate.ts';
import { settlePolicy } from '../policy-file.ts';
import { prepareTargets } from '../prepare.ts';
import { serve } from '../serve.ts';
import { waitUntilDone } from '../worker/run-until-done.ts';
import { untilAborted } from './long-running.ts';
import type { Voice } from './output.ts';
import { describeSnapshot, openVoice, progressBar } from './output.ts';
import { showPlan } from './sync.ts';

/**
 * `skolebus demo`: a made-up municipality from its feed to the three stand-ins, with the console
 * beside it. A second start finds everything as the first one left it. Returns the exit code.
 */
export async function runDemo(p: {
  readonly home: string;
  readonly port: number;
  readonly schools: number;
  readonly people: number;
  readonly seed: number;
  readonly once: boolean;
  readonly signal: AbortSignal;
}): Promise<number> {
  const voice = openVoice({ json: false });
  const feed = resolve(p.home, 'feed');
  if (existsSync(join(feed, 'truth.json'))) voice.say(`Found the demo's data in ${p.home}.`);
  else {
    voice.say(`Making up a municipality: ${p.schools} schools, about ${p.people} people.`);
    await generate({ out: feed, seed: p.seed, schools: p.schools, people: p.people });
  }
  await buildConsole(voice);
  voice.say('Starting the database, the three stand-in servers, the worker and the API.');
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  await prepareTargets({ connectors: context.connectors.values(), onTrouble: voice.say });
  await using service = await serve({ context, host: '127.0.0.1', port: p.port });
  voice.say(`Console: ${service.consoleUrl}`);

  const { database, tenant } = context;
  const { candidate, report: policy } = await settlePolicy({ context, by: 'demo' });
  if (policy.warning !== null) voice.say(policy.warning);
  const report = await sync({
    database,
    tenant,
    source: 'main',
    feed: { format: 'ws17', path: join(feed, 'day1', 'ws17') },
    policy: context.policy,
    candidate,
    targets: typesOfTargets(context.connectors),
    allowed: new Set(),
    commit: true,
    identityKey: context.environment.identityKey,
    now: new Date(),
  });
  voice.say(describeSnapshot(report.snapshot));
  await showPlan({ context, voice, plan: report.plan });
  const work = (report.commit?.committed ?? 0) - (report.commit?.scheduled ?? 0);
  const started = Date.now();
  const last = await waitUntilDone({
    database,
    tenant,
    worker: service.worker,
    signal: p.signal,
    onProgress: ({ due }) => {
      if (work > 0) voice.progress(progressBar({ done: Math.max(0, work - due), of: work }));
    },
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  voice.say(
    work === 0
      ? `Nothing had to be done: ${last.settled} resources are as they should be.`
      : `Applied ${work - last.due} changes in ${seconds} s: ${last.settled} resources are right, ${last.failed} failed, ${last.due} wait.`,
  );
  if (p.once) return last.failed + last.due > 0 ? 1 : 0;
  voice.say(
    [
      '',
      `Look at it:        ${service.consoleUrl}`,
      `What a server has: ./skolebus observe --home ${p.home} --target moodle --kind course`,
      `The next day:      ./skolebus sync --home ${p.home} --feed ws17:${join(p.home, 'feed/day2/ws17')} --yes`,
      '',
      'Ctrl-C stops everything; the data stays for the next start.',
    ].join('\n'),
  );
  await untilAborted(p.signal);
  return 0;
}

/** The console's bundle is the only thing that is built; it takes about a second, once a version. */
async function buildConsole(voice: Voice): Promise<void> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  if (await isBuilt(join(root, 'services/console'))) return;
  voice.say('Building the console (once).');
  await promisify(execFile)('npm', ['run', '--silent', 'build:console'], { cwd: root });
}

/** And not by an older version: no source is newer. */
async function isBuilt(folder: string): Promise<boolean> {
  const dist = join(folder, 'dist');
  const page = join(dist, 'index.html');
  if (!existsSync(page)) return false;
  const { mtimeMs } = await stat(page);
  const names = await readdir(folder, { recursive: true });
  const sources = names.map((name) => join(folder, name)).filter((one) => !one.startsWith(dist));
  const times = await Promise.all(sources.map((one) => stat(one)));
  return times.every((one) => one.isDirectory() || one.mtimeMs <= mtimeMs);
}
