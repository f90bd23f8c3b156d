/** The three stand-ins in a process of their own, so that they do not share the event loop of what is measured. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SandboxAddresses } from '../../services/sandbox/sandbox.ts';

export interface SandboxProcess extends AsyncDisposable {
  readonly addresses: SandboxAddresses;
}

const main = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url));

/** @throws Error when the stand-ins do not start */
export async function spawnSandbox(): Promise<SandboxProcess> {
  const child = spawn(process.execPath, [main, 'sandbox', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(() => [null]),
  ])) as [string | null];
  if (line === null) throw new Error('The stand-ins did not start; what they said stands above.');
  return {
    addresses: JSON.parse(line) as SandboxAddresses,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
