import { calendarOf, openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import type { Readiness } from '../worker/readiness.ts';
import { readReadiness } from '../worker/readiness.ts';
import { openVoice, progressBar, table } from './output.ts';
import { printJson } from './sync.ts';

/** `skolebus readiness`. Returns the exit code: with `--alarm` 1 when somebody will not be ready for the bell. */
export async function runReadiness(p: {
  readonly home: string;
  readonly alarm: boolean;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const calendar = calendarOf(context);
  const readiness = await readReadiness({ ...context, calendar, now: new Date() });
  if (p.json) printJson(readiness);
  else openVoice(p).say(describeReadiness(readiness));
  return p.alarm && readiness.late ? 1 : 0;
}

function describeReadiness(readiness: Readiness): string {
  const { bell, eta, institutions, late, missing, people, ready, reasons } = readiness;
  const rows = institutions.map((one) => [
    one.institution,
    one.name,
    one.people,
    one.ready,
    one.missing,
    one.missing === 0 ? '-' : (one.eta?.toISOString() ?? 'nobody can tell'),
    one.late ? 'LATE' : '',
  ]);
  const heads = ['institution', 'name', 'people', 'ready', 'missing', 'ready at', ''];
  const when = eta === null ? 'nobody can tell until when' : `until ${eta.toISOString()}`;
  return [
    progressBar({ done: ready, of: people }),
    bell === null ? 'There is no bell here.' : `The bell: ${bell.toISOString()}.`,
    ...(missing === 0 ? [] : [`${missing} miss something, ${when}.`]),
    ...(late ? ['Not everybody will be ready for the bell.'] : []),
    ...(rows.length === 0 ? [] : [table([heads, ...rows])]),
    ...reasons.map(
      ({ cause, code, count, kind, sentence, target }) =>
        `  ${count}: ${target} ${kind}, ${cause}${code === null ? '' : ` (${code})`}. ${sentence.en}`,
    ),
  ].join('\n');
}
