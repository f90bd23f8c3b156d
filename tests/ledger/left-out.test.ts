import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimWork, wholeLanes } from '../../provisioning/ledger/claim.ts';
import { settleWork } from '../../provisioning/ledger/settle.ts';
import type { MoodleCourse } from '../../provisioning/policy/resource.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

let line: Line;

beforeEach(async () => {
  line = await openLine();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

/** People without an account yet must not count as written, wherever a body names them. */
it('records people who were left out as not written, in enrolments and in groups', async () => {
  await line.day({ roster: smallRoster({ pupils: 2 }), now: new Date('2026-11-02T05:00:00Z') });
  line.targets.moodle.misbehave((work) =>
    work.kind === 'course' ? { state: 'retry', afterMs: 0, code: 'busy', detail: '' } : null,
  );
  await line.drain();
  await line.database.as(line.tenant, (tx) =>
    tx.execute(
      `update resource set due_at = now() - interval '1 second', desired = desired || jsonb_build_object(
         'groups', jsonb_build_object('7.A', (select jsonb_agg(k) from jsonb_object_keys(desired->'enrolments') k)))
       where target = 'moodle' and kind = 'course'`,
    ),
  );
  const claim = await claimWork({
    ...line,
    target: 'moodle',
    kinds: ['course'],
    lanes: wholeLanes(['sync']),
    size: () => 1,
  });
  const work = claim?.rows[0];
  if (claim === null || work?.desired === null || work === undefined)
    throw new Error('There is no course to claim.');
  const [left = ''] = Object.keys((work.desired as MoodleCourse).enrolments);
  await settleWork({
    ...line,
    target: 'moodle',
    claim,
    outcomes: [{ state: 'applied', externalId: '7', incomplete: [left] }],
    random: () => 0,
  });
  const [row] = await line.database.as(line.tenant, (tx) =>
    tx.query<{ applied: MoodleCourse; state: string }>(
      `select applied, state from resource where target = 'moodle' and kind = 'course' and key = $1`,
      [work.key],
    ),
  );
  expect(row?.state).toBe('due');
  expect(Object.keys(row?.applied.enrolments ?? {})).not.toContain(left);
  expect(row?.applied.groups?.['7.A']).not.toContain(left);
  expect(row?.applied.groups?.['7.A']).toHaveLength(2);
});
