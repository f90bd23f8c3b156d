import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `skolebus` as scripts do. With `kill` it is killed without a chance to clean up, so many ms
 * after it has said something that contains the words.
 */
export async function skolebus(
  args: readonly string[],
  p: { readonly kill?: { readonly words: string; readonly afterMs: number } } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  let timer: NodeJS.Timeout | null = null;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (p.kill === undefined || timer !== null || !stderr.includes(p.kill.words)) return;
    timer = setTimeout(() => child.kill('SIGKILL'), p.kill.afterMs);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (timer !== null) clearTimeout(timer);
  return { code, stdout, stderr };
}

/** The lines of `observe --jsonl`. */
export async function observe(p: {
  readonly home: string;
  readonly target: string;
  readonly kind: string;
}): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { code, stdout, stderr } = await skolebus([
    'observe',
    '--home',
    p.home,
    '--target',
    p.target,
    '--kind',
    p.kind,
    '--jsonl',
  ]);
  if (code !== 0) throw new Error(`observe ended with ${code}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
