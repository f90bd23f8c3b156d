import { subjects } from './names.ts';
import type { Random } from './random.ts';
import type { Group, School } from './truth.ts';

/** A school with its groups, and how many pupils each home class takes. */
export interface SchoolPlan {
  readonly school: School;
  readonly classes: readonly { readonly group: Group; readonly size: number }[];
}

/** Below the cap of 28; gives the mean of about 20 that the country has. */
const fullClass = 26;

const phases = [
  { name: 'Indskoling', low: 0, high: 3 },
  { name: 'Mellemtrin', low: 4, high: 6 },
  { name: 'Udskoling', low: 7, high: 10 },
] as const;

/** One school: home classes by grade and line, year groups, teaching groups, SFO, staff teams. */
export function planSchool(p: {
  readonly random: Random;
  readonly number: string;
  readonly name: string;
  readonly pupils: number;
  readonly grades: readonly number[];
  readonly schoolYear: string;
}): SchoolPlan {
  const { random, number, name } = p;
  const style = random.pick(['plain', 'dotted', 'lower'] as const);
  const startYear = Number(p.schoolYear.slice(0, 4));
  const term = { from: `${startYear}-08-01`, to: `${startYear + 1}-07-31` };
  const groups: Group[] = [];
  let serial = 100;
  const add = (
    group: Pick<Group, 'kind' | 'name'> & Partial<Pick<Group, 'grade' | 'line'>>,
    dated: boolean,
  ): Group => {
    serial += random.between(1, 7);
    const dates = dated ? term : { from: null, to: null };
    const whole = { id: `G${serial}`, grade: null, line: null, ...group, ...dates };
    groups.push(whole);
    return whole;
  };
  const classes: { group: Group; size: number }[] = [];
  for (const [i, inGrade] of sizes(p).entries()) {
    const grade = String(p.grades[i]);
    add({ kind: 'year', name: `${grade}. årgang`, grade }, false);
    const tracks = Math.max(1, Math.ceil(inGrade / fullClass));
    for (let track = 0; track < tracks; track++) {
      const line = 'ABCDEF'[track] ?? `Z${track}`;
      const group = add({ kind: 'class', name: className(style, grade, line), grade, line }, true);
      const size = Math.floor(inGrade / tracks) + (track < inGrade % tracks ? 1 : 0);
      classes.push({ group, size });
    }
    if (Number(grade) < 4) continue;
    for (const subject of random.sample(subjects, 5)) {
      add({ kind: 'teaching', name: `${grade}. ${subject}`, grade }, true);
    }
    if (grade === '10') add({ kind: 'line', name: 'Idrætslinjen', grade }, true);
  }
  if (p.grades.includes(0)) add({ kind: 'afterschool', name: `SFO ${name}` }, false);
  for (const phase of phases) {
    if (p.grades.some((grade) => grade >= phase.low && grade <= phase.high)) {
      add({ kind: 'team', name: `Team ${phase.name}` }, false);
    }
  }
  add({ kind: 'other', name: 'Elevråd' }, false);
  return { school: { number, name, groups }, classes };
}

/** Pupils per grade: birth years differ by some tenth. The sum is exact. */
function sizes(p: {
  readonly random: Random;
  readonly pupils: number;
  readonly grades: readonly number[];
}): readonly number[] {
  const weights = p.grades.map((grade) => (grade === 10 ? 0.4 : 0.9 + 0.2 * p.random.next()));
  return share(p.pupils, weights);
}

/** Shares a whole number out by weight, without losing any. */
export function share(whole: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  let before = 0;
  let given = 0;
  return weights.map((weight) => {
    before += weight;
    const until = Math.round((whole * before) / sum);
    const part = until - given;
    given = until;
    return part;
  });
}

function className(style: 'plain' | 'dotted' | 'lower', grade: string, line: string): string {
  if (style === 'dotted') return `${grade}.${line}`;
  return style === 'lower' ? `${grade}${line.toLowerCase()}` : `${grade}${line}`;
}
