import { describe, expect, it } from 'vitest';
import type { QueueView } from '../../provisioning/ledger/queue-view.ts';
import type { Gap } from '../../provisioning/ledger/readiness.ts';
import { findBell } from '../../provisioning/policy/calendar/bell.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { judgeReadiness } from '../../services/worker/readiness.ts';

const calendarOf = (text: string) =>
  parsePolicy({ text: `version: 1\n${text}`, file: 'policy.yaml' }).calendar;
const calendar = calendarOf('');
/** On Tuesday 3 November 2026, in Copenhagen. */
const at = (time: string) => new Date(`2026-11-03T${time}:00+01:00`);

describe('the bell', () => {
  const bellAt = (now: string, of = calendar) =>
    findBell({ calendar: of, now: new Date(now) })?.at.toISOString();

  it('is at half past seven on the next school day, summer and winter', () => {
    expect(bellAt('2026-11-03T04:00:00Z')).toBe('2026-11-03T06:30:00.000Z');
    expect(bellAt('2026-11-03T20:00:00Z')).toBe('2026-11-04T06:30:00.000Z');
    // On a Friday after it, and before the summer holidays.
    expect(bellAt('2026-11-06T10:00:00Z')).toBe('2026-11-09T06:30:00.000Z');
    expect(bellAt('2026-06-30T10:00:00Z')).toBe('2026-08-03T05:30:00.000Z');
  });

  it('is the one that rings while it rings', () => {
    const now = at('08:00');
    expect(findBell({ calendar, now })).toEqual({ at: at('07:30'), rings: true });
    expect(findBell({ calendar, now: at('08:45') })?.rings).toBe(false);
  });

  it('is no window of the night, for a grade, or in which lane sync writes', () => {
    const windows = `calendar:
  windows:
    - { name: backup, from: "02:00", to: "03:00", days: every-day, lanes: [] }
    - { name: exams, from: "06:00", to: "14:00", grades: [9] }
    - { name: lunch, from: "05:00", to: "05:30", lanes: [now, sync] }
    - { name: ringning, from: "07:50", to: "08:15" }
`;
    expect(bellAt('2026-11-03T00:00:00Z', calendarOf(windows))).toBe('2026-11-03T06:50:00.000Z');
    const named = `${windows}    - { name: bell, from: "08:00", to: "08:15" }\n`;
    expect(bellAt('2026-11-03T00:00:00Z', calendarOf(named))).toBe('2026-11-03T07:00:00.000Z');
  });

  it('is none where there are no windows', () => {
    expect(findBell({ calendar: calendarOf('calendar: { windows: [] }'), now: at('07:00') })).toBe(
      null,
    );
  });
});

const gap: Gap = {
  institution: '101001',
  target: 'moodle',
  kind: 'account',
  lane: 'sync',
  state: 'due',
  code: null,
  blocked: null,
  stuck: false,
  people: 3,
  once: 3,
  dueAt: at('06:00'),
  since: at('06:00'),
  committedAt: at('06:00'),
};

function judge(p: {
  readonly now: string;
  readonly due?: number;
  readonly gap?: Partial<Gap>;
  readonly view?: Partial<QueueView>;
  readonly measuredAt?: string;
}) {
  const lane = p.gap?.lane ?? gap.lane;
  return judgeReadiness({
    heads: [
      {
        institution: '101001',
        name: 'Prøveskolen',
        people: 10,
        missing: 3,
        peopleOnce: 10,
        missingOnce: 3,
      },
    ],
    gaps: [{ ...gap, ...p.gap }],
    view: {
      lanes: [{ target: 'moodle', lane, due: p.due ?? 600, oldestSeconds: 0 }],
      brakes: [],
      circuits: [],
      rates: [{ target: 'moodle', rowsPerSecond: 1, measuredAt: at(p.measuredAt ?? p.now) }],
      ...p.view,
    },
    calendar,
    now: at(p.now),
  });
}

const verdict = (p: Parameters<typeof judge>[0]) => {
  const { late, eta, reasons } = judge(p);
  return [reasons[0]?.cause, eta, late];
};

describe('late', () => {
  it('is what is done after the bell at the measured pace, and not what is done before it', () => {
    expect(verdict({ now: '07:19' })).toEqual(['queued', at('07:29'), false]);
    // A minute is left when the bell begins; the rest comes after it.
    expect(verdict({ now: '07:21' })).toEqual(['queued', at('08:46'), true]);
    const { institutions, bell } = judge({ now: '07:21' });
    expect(bell).toEqual(at('07:30'));
    expect(institutions).toMatchObject([{ late: true, missing: 3, ready: 7, eta: at('08:46') }]);
  });

  it('is what waits in the calm window while the bell rings, and not somebody who just came', () => {
    expect(verdict({ now: '08:00', due: 60 })).toEqual(['calm-window', at('08:46'), true]);
    expect(verdict({ now: '08:00', due: 60, gap: { lane: 'now' } })).toEqual([
      'queued',
      at('08:01'),
      false,
    ]);
  });

  it.each([
    ['failed', { state: 'failed', code: 'email-taken' }],
    ['held', { state: 'held', code: 'limit-growth' }],
    ['approval', { state: 'open' }],
    ['blocked', { blocked: 'group-name-taken' }],
    ['stuck', { code: 'server-error', stuck: true }],
  ] as const)('is what does not pass by itself: %s', (cause, more) => {
    expect(verdict({ now: '06:30', gap: more })).toEqual([cause, null, true]);
  });

  it('is what waits behind a brake, unless that ends before the bell', () => {
    const brake = { id: '1', tenant: 'kommune', target: null, lane: null, kind: 'pause' } as const;
    const view = (until: Date | null) => ({
      brakes: [{ ...brake, since: at('06:00'), until, reason: '', by: '' }],
    });
    expect(verdict({ now: '06:30', view: view(null) })).toEqual(['brake', null, true]);
    expect(verdict({ now: '06:30', view: view(at('07:00')) })).toEqual(['brake', null, false]);
    expect(verdict({ now: '06:30', view: view(at('08:00')) })).toEqual(['brake', null, true]);
  });

  it('is not what was committed before a drain', () => {
    const drain = { id: '1', tenant: 'kommune', target: null, lane: null, kind: 'drain' } as const;
    const view = { brakes: [{ ...drain, since: at('06:10'), until: null, reason: '', by: '' }] };
    expect(verdict({ now: '06:30', view })).toEqual(['queued', at('06:40'), false]);
    const later = { committedAt: at('06:20') };
    expect(verdict({ now: '06:30', view, gap: later })).toEqual(['brake', null, true]);
  });

  it('is a server that is away for longer than a moment', () => {
    const circuit = { target: 'moodle', openings: 1, cause: 'timeout', probeAt: at('06:31') };
    const view = { circuits: [{ ...circuit, openedAt: at('06:28') }] };
    expect(verdict({ now: '06:30', view })).toEqual(['circuit', null, false]);
    expect(verdict({ now: '06:34', view })).toEqual(['circuit', null, true]);
  });

  it('is a worker that never wrote, or writes no more', () => {
    const never = { rates: [] };
    expect(verdict({ now: '06:04', view: never })).toEqual(['no-pace', null, false]);
    expect(verdict({ now: '06:06', view: never })).toEqual(['no-pace', null, true]);
    expect(verdict({ now: '06:30', measuredAt: '06:14' })).toEqual(['no-pace', null, true]);
    // After a calm window nothing can have been written for a while.
    expect(verdict({ now: '08:50', measuredAt: '07:30' })).toEqual(['queued', at('09:00'), false]);
  });

  it('does not come before what was put off is tried again', () => {
    const code = { code: 'busy', dueAt: at('07:00') };
    expect(verdict({ now: '06:30', due: 60, gap: code })).toEqual(['put-off', at('07:00'), false]);
  });
});
