import type { Registry } from 'prom-client';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { readReadiness } from '../worker/readiness.ts';
import { gaugesOf } from './gauges.ts';
import { readRarely } from './rarely.ts';

/**
 * Who is ready for the bell.
 *
 * @returns reads it anew, at most every half minute
 */
export function openBellFigures(p: {
  readonly registry: Registry;
  readonly database: Database;
  readonly tenant: string;
  readonly calendar: Calendar | null;
}): () => Promise<void> {
  const gauge = gaugesOf(p.registry);
  const people = gauge(
    'skolebus_people',
    'Active people of an institution who have accounts or are to have them.',
    ['institution'],
  );
  const ready = gauge('skolebus_people_ready', 'Of these, whose resources are all right.', [
    'institution',
  ]);
  const everybody = gauge('skolebus_everybody', 'Active people, each counted once.');
  const allReady = gauge('skolebus_everybody_ready', 'Of these, whose resources are all right.');
  const missing = gauge('skolebus_people_missing', 'People who miss something, by why.', [
    'cause',
    'code',
    'target',
  ]);
  const late = gauge('skolebus_bell_late', '1: somebody will miss something at the next bell.');
  const readyIn = gauge(
    'skolebus_ready_in_seconds',
    'When the last of them is ready at the measured pace; absent: nobody is missing, or nobody can tell.',
  );
  const bellIn = gauge(
    'skolebus_bell_in_seconds',
    'Until the next bell; below 0 while it rings; absent: there is none.',
  );
  return readRarely(async () => {
    const now = new Date();
    const readiness = await readReadiness({ ...p, now });
    for (const one of [people, ready, missing]) one.reset();
    for (const one of [readyIn, bellIn]) one.remove();
    for (const one of readiness.institutions) {
      people.set({ institution: one.institution }, one.people);
      ready.set({ institution: one.institution }, one.ready);
    }
    everybody.set(readiness.people);
    allReady.set(readiness.ready);
    for (const { cause, code, target, count } of readiness.reasons) {
      missing.inc({ cause, code: code ?? '', target }, count);
    }
    late.set(readiness.late ? 1 : 0);
    const secondsTo = (at: Date) => (at.getTime() - now.getTime()) / 1000;
    if (readiness.eta !== null) readyIn.set(secondsTo(readiness.eta));
    if (readiness.bell !== null) bellIn.set(secondsTo(readiness.bell));
  });
}
