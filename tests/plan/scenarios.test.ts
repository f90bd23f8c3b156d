import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallPerson, SmallRoster } from '../support/roster.ts';
import { smallRoster } from '../support/roster.ts';

const small = smallRoster({ pupils: 60 });
/** Two schools, each with a leader, a teacher and 60 pupils in 7.A, and an empty 7.B. */
const base: SmallRoster = {
  ...small,
  groups: small.institutions.flatMap((institution) => [
    { institution, id: '7A', name: '7.A' },
    { institution, id: '7B', name: '7.B' },
  ]),
};
const monday = new Date('2026-11-02T05:00:00Z');
const after = (days: number) => new Date(monday.getTime() + days * 86_400_000);

const someone = base.people.find((person) => person.uniId.startsWith('elev')) as SmallPerson;
const teacher = base.people.find((person) => person.kind === 'staff') as SmallPerson;
const other = base.institutions.find((one) => one !== someone.institution) ?? '';

function withPerson(change: Partial<SmallPerson>, of: SmallPerson = someone): SmallRoster {
  return {
    ...base,
    people: base.people.map((one) => (one.uniId === of.uniId ? { ...one, ...change } : one)),
  };
}

function without(isGone: (person: SmallPerson) => boolean): SmallRoster {
  return { ...base, people: base.people.filter((person) => !isGone(person)) };
}

interface Scenario {
  /** As it stands in docs/scenarios.md. */
  readonly name: string;
  /** The days after the first; each is synced twice. */
  readonly days: readonly (readonly [number, SmallRoster])[];
}

const gone = without(({ uniId }) => uniId === someone.uniId);
const half = without(
  ({ uniId, institution }) =>
    institution === someone.institution && Number(/\d+$/.exec(uniId)?.[0] ?? 0) % 2 === 0,
);

const scenarios: readonly Scenario[] = [
  { name: 'nothing has changed', days: [[1, base]] },
  {
    name: 'a new pupil',
    days: [[1, { ...base, people: [...base.people, { ...someone, uniId: 'ny001' }] }]],
  },
  {
    name: 'a pupil moves to another class',
    days: [[1, withPerson({ groups: ['7B'] })]],
  },
  {
    name: 'a pupil is at two schools for a while',
    days: [
      [1, { ...base, people: [...base.people, { ...someone, institution: other, groups: [] }] }],
    ],
  },
  { name: 'a pupil leaves', days: [[1, gone]] },
  {
    name: 'a pupil is back within the grace',
    days: [
      [1, gone],
      [3, base],
    ],
  },
  {
    name: 'a pupil is back after the deactivation',
    days: [
      [1, gone],
      [10, gone],
      [11, base],
    ],
  },
  {
    name: 'a pupil is deleted after the retention',
    days: [
      [1, gone],
      [10, gone],
      [90, gone],
    ],
  },
  { name: 'a pupil has another name', days: [[1, withPerson({ family: 'Nytnavn' })]] },
  {
    name: 'a pupil is protected from now on',
    days: [[1, withPerson({ protected: true, given: 'Elev', family: 'Syv' })]],
  },
  {
    name: 'a pupil is protected and has no alias',
    days: [[1, withPerson({ protected: true, given: null, family: null })]],
  },
  { name: 'a pupil may not log in', days: [[1, withPerson({ mayLogIn: false })]] },
  { name: 'a teacher loses a class', days: [[1, withPerson({ groups: [] }, teacher)]] },
  {
    name: 'a class has another name',
    days: [
      [
        1,
        {
          ...base,
          groups: base.groups.map((group) =>
            group.id === '7A' && group.institution === someone.institution
              ? { ...group, name: '7.X' }
              : group,
          ),
        },
      ],
    ],
  },
  { name: 'half of a school is gone', days: [[1, half]] },
  {
    name: 'a school is missing from the feed',
    days: [
      [
        1,
        {
          institutions: base.institutions.filter((one) => one !== someone.institution),
          groups: base.groups.filter((group) => group.institution !== someone.institution),
          people: base.people.filter(({ institution }) => institution !== someone.institution),
        },
      ],
    ],
  },
  {
    name: 'all UNI-IDs of a school are new',
    days: [
      [
        1,
        {
          ...base,
          people: base.people.map((person) =>
            person.institution === someone.institution
              ? { ...person, uniId: `ny${person.uniId}` }
              : person,
          ),
        },
      ],
    ],
  },
];

/** `create 3, update 1; held limit-deactivate`, or `nothing`. */
function describePlan(plan: PlanSummary): string {
  const counts = new Map<string, number>();
  for (const kinds of Object.values(plan.changes)) {
    for (const actions of Object.values(kinds)) {
      for (const [action, n] of Object.entries(actions)) {
        counts.set(action, (counts.get(action) ?? 0) + n);
      }
    }
  }
  const done = [...counts].filter(([, n]) => n > 0).map(([action, n]) => `${action} ${n}`);
  const held = [...new Set(plan.held.map(({ code }) => code))].sort();
  return [
    done.length === 0 ? 'nothing' : done.join(', '),
    ...(held.length === 0 ? [] : [`held ${held.join(', ')}`]),
  ].join('; ');
}

async function outcomeOf(line: Line, scenario: Scenario): Promise<string> {
  await line.day({ roster: base, now: monday });
  const outcomes: string[] = [];
  for (const [days, roster] of scenario.days) {
    const now = after(days);
    await line.promote(now);
    const { plan } = await line.day({ roster, now });
    outcomes.push(describePlan(plan));
    const again = await line.day({ roster, now });
    expect(countPlanned(again.plan), `${scenario.name}, the second run`).toBe(0);
  }
  return outcomes.join(' → ');
}

/** The rows of docs/scenarios.md: what happens -> what is planned. */
const documented = new Map(
  (await readFile(new URL('../../docs/scenarios.md', import.meta.url), 'utf8'))
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()))
    .flatMap(([, name, outcome]) => (name && outcome ? [[name, outcome] as const] : [])),
);

describe('docs/scenarios.md', () => {
  it.each(scenarios.map((one) => [one.name, one] as const))('%s', async (name, scenario) => {
    await using line = await openLine();
    expect(await outcomeOf(line, scenario)).toBe(documented.get(name));
  });
});
