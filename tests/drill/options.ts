import { vi } from 'vitest';
import type { DrillOptions } from '../../services/cli/drill.ts';
import { runDrillCommand } from '../../services/cli/drill.ts';

const defaults: Omit<DrillOptions, 'home'> = {
  target: 'keycloak',
  rate: 5,
  ramp: 2,
  hold: 4,
  warmUp: 0,
  people: 50,
  seed: 7,
  rounds: 1,
  returnShare: 0.4,
  withLoad: false,
  fullSpeed: false,
  heads: 36,
  serverCores: null,
  prepare: false,
  clean: false,
  thisIsProduction: false,
  json: true,
  signal: new AbortController().signal,
};

/** Runs `skolebus drill --json` in this process; gives the exit code and what it wrote. */
export async function drill(
  p: Partial<DrillOptions> & { readonly home: string },
): Promise<{ readonly code: number; readonly said: unknown; readonly text: string }> {
  const out: string[] = [];
  const all: string[] = [];
  const catching = (stream: NodeJS.WriteStream, to: string[]) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      to.push(String(text));
      all.push(String(text));
      return true;
    });
  const spies = [catching(process.stdout, out), catching(process.stderr, [])];
  try {
    const code = await runDrillCommand({ ...defaults, ...p });
    return { code, said: JSON.parse(out.join('')), text: all.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
