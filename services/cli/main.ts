import { CommanderError } from 'commander';
import pg from 'pg';
import { FeedError } from '../../provisioning/feed/record.ts';
import { describeError } from '../log.ts';
import { buildProgram } from './program.ts';
import { UsageError } from './usage.ts';

/**
 * Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but something is held.
 */
async function main(): Promise<number> {
  const stop = new AbortController();
  // The first Ctrl-C lets what is under way come to its end; a second one ends the process.
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  let exitCode = 0;
  const program = buildProgram({
    signal: stop.signal,
    onDone: (code) => {
      exitCode = code;
    },
  });
  try {
    await program.parseAsync();
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof Error)) throw error;
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (error instanceof pg.DatabaseError && !ofTheConnection.test(error.code ?? '')) {
    return reportStatement(error);
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unexpected';
  const place =
    error instanceof FeedError && error.file !== null
      ? ` (${error.file}${error.line === null ? '' : `, line ${error.line}`})`
      : '';
  process.stderr.write(`${code}${place}: ${error.message}\n`);
  if (code === 'unexpected') process.stderr.write(`${error.stack ?? ''}\n`);
  if (process.argv.includes('--json')) {
    const where = error instanceof FeedError ? { file: error.file, line: error.line } : {};
    process.stdout.write(
      `${JSON.stringify({ error: { code, message: error.message, ...where } })}\n`,
    );
  }
  return 1;
}

/** SQLSTATE classes in which the database speaks of itself: out of reach, sign-in, no such database, full, going down. */
const ofTheConnection = /^(08|28|3D|53|57)/;

/** In all others its words may quote rows, and whoever reads them may not be who may read those. */
function reportStatement(error: pg.DatabaseError): number {
  const message = `The database refused a statement (SQLSTATE ${error.code ?? 'unknown'}).`;
  process.stderr.write(`database-error: ${message}\n${JSON.stringify(describeError(error))}\n`);
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code: 'database-error', message } })}\n`);
  }
  return 1;
}

process.exitCode = await main();
