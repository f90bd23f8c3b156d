import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { watchBell } from '../../services/worker/bell-alarm.ts';
import type { Readiness } from '../../services/worker/readiness.ts';

const bell = new Date('2026-11-03T06:30:00Z');

function readiness(missing: number): Readiness {
  const share = { people: 10, ready: 10 - missing, missing, eta: null, late: missing > 0 };
  const reason = {
    cause: 'failed',
    code: 'email-taken',
    target: 'moodle',
    kind: 'account',
    lane: 'sync',
    count: missing,
    eta: null,
    sentence: { en: 'A sentence.', da: 'En sætning.' },
  } as const;
  const reasons = missing > 0 ? [reason] : [];
  const institution = { ...share, reasons, institution: '101001', name: 'Prøveskolen' };
  return { ...share, reasons, at: new Date(), bell, institutions: [institution] };
}

it('is given once when somebody will be late, and once when that is over', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (text: string) => lines.push(JSON.parse(text)) });
  const answers: (Readiness | Error)[] = [
    readiness(0),
    readiness(2),
    readiness(3),
    new Error('The database was away.'),
    readiness(1),
    readiness(0),
    readiness(0),
    readiness(4),
  ];
  const errors: string[] = [];
  let looks = 0;
  {
    await using _alarm = watchBell({
      read: async () => {
        looks += 1;
        const answer = answers[looks - 1] ?? readiness(4);
        if (answer instanceof Error) throw answer;
        return answer;
      },
      everyMs: 2,
      log,
      onError: (error) => errors.push(error.message),
    });
    await vi.waitFor(() => expect(looks).toBeGreaterThan(answers.length));
  }
  expect(errors).toEqual(['The database was away.']);
  expect(lines.map(({ level, missing }) => [level, missing])).toEqual([
    [40, 2],
    [30, 0],
    [40, 4],
  ]);
  expect(lines[0]).toMatchObject({
    bell: bell.toISOString(),
    people: 10,
    ready: 8,
    lateInstitutions: 1,
    reasons: [
      { cause: 'failed', code: 'email-taken', target: 'moodle', kind: 'account', count: 2 },
    ],
  });
  const ended = looks;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(looks).toBe(ended);
});
