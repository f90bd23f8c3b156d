/** One Skolebus among others that does not stay alive for long. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SandboxAddresses } from '../../../services/sandbox/sandbox.ts';

export interface ServiceOrder {
  readonly databaseUrl: string;
  readonly redisUrl: string | null;
  readonly addresses: SandboxAddresses;
  readonly tenant: string;
  readonly home: string;
}

export interface Service extends AsyncDisposable {
  /** Serves, and is neither stopped nor being started. */
  readonly ready: boolean;
  /** How often it ended without being killed by us, while it served. */
  readonly ended: number;
  /** SIGKILL, and a new one a moment later. */
  kill(p: { readonly pauseMs: number }): Promise<void>;
  /** SIGSTOP, and SIGCONT when the time is over. */
  stop(ms: number): Promise<void>;
  setClock(aheadMs: number): void;
  /** A call of its API; throws when the service ends before it answers. */
  post(p: {
    readonly path: string;
    readonly body: object;
    readonly key?: string;
  }): Promise<Response>;
}

const main = fileURLToPath(new URL('./service-process.ts', import.meta.url));

/** Starts it and keeps it up as an init system does; the first start must succeed. */
export async function startService(p: {
  readonly order: ServiceOrder;
  /** A file that takes what it says. */
  readonly log: string;
}): Promise<Service> {
  let address: string | null = null;
  let stopped = false;
  let closing = false;
  let ended = 0;
  let child = begin();
  address = await readAddress(child);
  if (address === null) throw new Error(`A service did not start; see ${p.log}`);

  function begin(): ChildProcess {
    const log = openSync(p.log, 'a');
    const begun = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, JSON.stringify(p.order)],
      { stdio: ['pipe', 'pipe', log] },
    );
    // It may be gone when it is told something.
    begun.stdin?.on('error', () => {});
    closeSync(log);
    begun.once('exit', (_code, signal) => {
      if (signal === 'SIGKILL' || closing) return;
      if (address !== null) ended += 1;
      start().catch(() => {});
    });
    return begun;
  }

  /** Again and again: a database that is just being started refuses the first tries. */
  async function start(): Promise<void> {
    address = null;
    child = begin();
    address = await readAddress(child);
  }

  return {
    get ready() {
      return address !== null && !stopped;
    },
    get ended() {
      return ended;
    },
    async kill({ pauseMs }) {
      address = null;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await sleep(pauseMs);
      await start();
    },
    async stop(ms) {
      stopped = true;
      child.kill('SIGSTOP');
      await sleep(ms);
      child.kill('SIGCONT');
      stopped = false;
    },
    setClock(aheadMs) {
      child.stdin?.write(`${aheadMs}\n`);
    },
    async post({ path, body, key }) {
      const { origin, hash } = new URL(address ?? '');
      return fetch(`${origin}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${hash.replace('#token=', '')}`,
          'content-type': 'application/json',
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(60_000),
      });
    },
    async [Symbol.asyncDispose]() {
      closing = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Null: it ended before it served. */
async function readAddress(child: ChildProcess): Promise<string | null> {
  if (child.stdout === null) return null;
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => [null]),
  ])) as [string | null];
  return line;
}
