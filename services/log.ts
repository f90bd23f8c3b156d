import { trace } from '@opentelemetry/api';
import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';

/**
 * One JSON object a line. Messages are constant and carry ids, counts and codes; never a name, a civil
 * number, a password or a token.
 *
 * @param p.to the standard error when left out: the standard output belongs to a command's own words
 */
export function openLog(p: { readonly level: string; readonly to?: DestinationStream }): Logger {
  return pino(
    {
      level: p.level,
      base: null,
      serializers: { err: describeError },
      mixin: () => runningTrace(),
    },
    p.to ?? pino.destination(2),
  );
}

/** The trace that is being recorded, to be looked up beside the line. */
function runningTrace(): { readonly traceId?: string } {
  const span = trace.getActiveSpan();
  return span?.isRecording() === true ? { traceId: span.spanContext().traceId } : {};
}

export interface DescribedError {
  readonly name: string;
  readonly code: string | null;
  /** The database's own names of what was hurt. */
  readonly table?: string;
  readonly constraint?: string;
  /** Where in our code. */
  readonly at: readonly string[];
  readonly cause?: Omit<DescribedError, 'at'>;
}

/**
 * What may be told of an error: never its message, for the database quotes rows in it, a connector the
 * address with somebody's id, and a parser what it could not read. Codes and our own stack hold none
 * of that.
 */
export function describeError(error: Error): DescribedError {
  return {
    ...describeBriefly(error),
    at: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at .*(?:\d+:\d+\)?|\(<anonymous>\))$/.test(line))
      .slice(0, 8)
      .map((line) => line.trim()),
    ...(error.cause instanceof Error ? { cause: describeBriefly(error.cause) } : {}),
  };
}

function describeBriefly(error: Error): Omit<DescribedError, 'at' | 'cause'> {
  const { code, table, constraint } = error as {
    code?: unknown;
    table?: unknown;
    constraint?: unknown;
  };
  return {
    name: error.name,
    code: wordOf(code),
    ...(wordOf(table) === null ? {} : { table: wordOf(table) ?? '' }),
    ...(wordOf(constraint) === null ? {} : { constraint: wordOf(constraint) ?? '' }),
  };
}

function wordOf(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.-]{1,80}$/.test(value) ? value : null;
}
