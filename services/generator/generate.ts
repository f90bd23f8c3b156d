import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kindOfRole } from '../../provisioning/feed/membership-role.ts';
import type { AffiliationKind, GroupKind } from '../../provisioning/feed/record.ts';
import type { Events } from './day.ts';
import { advanceOneDay } from './day.ts';
import { generateMunicipality } from './municipality.ts';
import { writeOneRoster11, writeOneRoster12 } from './oneroster.ts';
import type { Municipality } from './truth.ts';
import { writeWs17 } from './ws17.ts';

export interface DaySummary {
  readonly day: number;
  readonly date: string;
  readonly institutions: number;
  readonly people: number;
  readonly protectedPeople: number;
  readonly affiliations: Readonly<Record<AffiliationKind, number>>;
  readonly groups: Readonly<Partial<Record<GroupKind, number>>>;
  readonly memberships: number;
  /** What happened since the day before; null on the first day. */
  readonly events: Events | null;
}

export interface Summary {
  readonly seed: number;
  readonly schoolYear: string;
  readonly days: readonly DaySummary[];
}

/**
 * Writes a fictive municipality on two days: `day1` and `day2`, each with `ws17/` (one XML per
 * school), `oneroster11.zip` and `oneroster12.zip` that all say the same, and `truth.json` with the
 * counts. The same seed writes the same files.
 */
export async function generate(p: {
  readonly out: string;
  readonly seed: number;
  readonly schools: number;
  readonly people: number;
  readonly guardians?: boolean;
  /** Write fictive civil numbers into the WS17 documents. */
  readonly civil?: boolean;
}): Promise<Summary> {
  const first = generateMunicipality(p);
  const second = advanceOneDay(first);
  const days = [
    { truth: first, events: null },
    { truth: second.truth, events: second.events },
  ];
  for (const { truth } of days) {
    const folder = join(p.out, `day${truth.day}`);
    await mkdir(folder, { recursive: true });
    await writeWs17({ truth, folder: join(folder, 'ws17'), civil: p.civil ?? false });
    await writeOneRoster11({ truth, path: join(folder, 'oneroster11.zip') });
    await writeOneRoster12({ truth, path: join(folder, 'oneroster12.zip') });
  }
  const summary: Summary = {
    seed: p.seed,
    schoolYear: first.schoolYear,
    days: days.map(({ truth, events }) => summarise(truth, events)),
  };
  await writeFile(join(p.out, 'truth.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

function summarise(truth: Municipality, events: Events | null): DaySummary {
  const affiliations = { pupil: 0, staff: 0, external: 0, guardian: 0 };
  const groups: Partial<Record<GroupKind, number>> = {};
  let memberships = 0;
  for (const { places } of truth.people) {
    for (const place of places) {
      affiliations[kindOfRole(place.roles[0])] += 1;
      memberships += place.groups.length;
    }
  }
  for (const school of truth.schools) {
    for (const { kind } of school.groups) groups[kind] = (groups[kind] ?? 0) + 1;
  }
  return {
    day: truth.day,
    date: truth.date,
    institutions: truth.schools.length,
    people: truth.people.length,
    protectedPeople: truth.people.filter((person) => person.protected).length,
    affiliations,
    groups,
    memberships,
    events,
  };
}
