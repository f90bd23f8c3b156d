import { resolve } from 'node:path';
import { generate } from '../generator/generate.ts';
import { printJson } from './sync.ts';

/** `skolebus generate`. Returns the exit code. */
export async function runGenerate(p: {
  readonly out: string;
  readonly seed: number;
  readonly schools: number;
  readonly people: number;
  readonly civil: boolean;
  readonly json: boolean;
}): Promise<number> {
  const { seed, schools, people, civil } = p;
  const summary = await generate({ out: resolve(p.out), seed, schools, people, civil });
  if (p.json) printJson(summary);
  else {
    process.stdout.write(
      `Wrote ${p.out}: day1 and day2, each as ws17/, oneroster11.zip and oneroster12.zip, and truth.json.\n` +
        `Try: skolebus sync --feed ws17:${p.out}/day1/ws17\n`,
    );
  }
  return 0;
}
