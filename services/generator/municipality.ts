import { adultNames, schoolNames } from './names.ts';
import type { Registry } from './people.ts';
import {
  externalPlace,
  newPerson,
  newPlace,
  ofKind,
  protect,
  pupilPlace,
  pupilsOf,
  staffPlace,
} from './people.ts';
import { createRandom } from './random.ts';
import type { SchoolPlan } from './school.ts';
import { planSchool, share } from './school.ts';
import type { Municipality, Person, Relation } from './truth.ts';

export interface MunicipalityPlan {
  readonly seed: number;
  readonly schools: number;
  /** Pupils, staff and externals together; guardians come on top. */
  readonly people: number;
  readonly guardians?: boolean;
  /** ISO date of the first day. */
  readonly date?: string;
  /** `2026-2027` */
  readonly schoolYear?: string;
}

/** One staff account per eight pupils, one external per hundred people. */
const staffShare = 1 / 9;
const externalShare = 0.01;
const protectedShare = 0.005;

/**
 * A believable municipality on its first day: lognormal school sizes, grades 0-9 (10 at the largest),
 * lines, year and teaching groups, SFO, teams, staff by ratio, a few people in two places, protected
 * people with an alias but one. The same plan gives the same municipality.
 *
 * @throws RangeError for fewer than one school, or fewer than 20 people a school
 */
export function generateMunicipality(p: MunicipalityPlan): Municipality {
  if (p.schools < 1 || p.people < 20 * p.schools) {
    throw new RangeError('A municipality needs a school, and 20 people for each of its schools.');
  }
  const random = createRandom(p.seed);
  const registry: Registry = { random, taken: new Set() };
  const schoolYear = p.schoolYear ?? '2026-2027';
  const staff = Math.round(p.people * staffShare);
  const externals = Math.round(p.people * externalShare);
  // Box-Muller: sizes spread as those of Danish schools do.
  const weights = Array.from({ length: p.schools }, () => {
    const normal =
      Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    return Math.exp(Math.max(-1, Math.min(1, normal)) * 0.4);
  });
  const largest = weights.indexOf(Math.max(...weights));
  const pupils = share(p.people - staff - externals, weights);
  const plans = weights.map((_, i) =>
    planSchool({
      random,
      number: schoolNumber(i),
      name: schoolNames[i] ?? `${i + 1}. Skole`,
      pupils: pupils[i] ?? 0,
      grades: Array.from({ length: i === largest ? 11 : 10 }, (_, grade) => grade),
      schoolYear,
    }),
  );
  const people: Person[] = plans.flatMap((plan) => [...pupilsOf(registry, plan)]);
  addStaff({ registry, plans, people, counts: share(staff, weights) });
  addExternals({ registry, plans, people, count: externals });
  placeTwice({ registry, plans, people });
  protectSome({ registry, people });
  return {
    seed: p.seed,
    day: 1,
    date: p.date ?? '2026-11-02',
    schoolYear,
    schools: plans.map((plan) => plan.school),
    people,
    relations: [],
    ...(p.guardians === true ? withGuardians({ registry, people }) : {}),
  };
}

/** Six characters, letters possible; the numbers are not in use. */
function schoolNumber(i: number): string {
  return i % 5 === 4 ? `A${String(99_001 + i)}` : String(999_001 + i);
}

function addStaff(p: {
  readonly registry: Registry;
  readonly plans: readonly SchoolPlan[];
  readonly people: Person[];
  readonly counts: readonly number[];
}): void {
  for (const [i, { school }] of p.plans.entries()) {
    for (let n = 0; n < (p.counts[i] ?? 0); n++) {
      const places = [staffPlace(p.registry, { school, leader: n === 0 })];
      p.people.push(newPerson(p.registry, { adult: true, places }));
    }
  }
}

function addExternals(p: {
  readonly registry: Registry;
  readonly plans: readonly SchoolPlan[];
  readonly people: Person[];
  readonly count: number;
}): void {
  for (let n = 0; n < p.count; n++) {
    const { school } = p.registry.random.pick(p.plans);
    const places = [externalPlace(p.registry, school)];
    p.people.push(newPerson(p.registry, { adult: true, places }));
  }
}

/** Pupils in two schools, teachers at two schools, pupils of grade 9 who help in the SFO. */
function placeTwice(p: {
  readonly registry: Registry;
  readonly plans: readonly SchoolPlan[];
  readonly people: Person[];
}): void {
  const { registry, plans, people } = p;
  const few = Math.max(1, Math.round(people.length / 1000));
  const indexes = people.map((_, i) => i);
  const secondPlace = (where: (person: Person) => boolean, make: (person: Person) => Person) => {
    const fitting = indexes.filter((i) => where(people[i] as Person));
    for (const i of registry.random.sample(fitting, few)) people[i] = make(people[i] as Person);
  };
  const role = (person: Person): string => person.places[0]?.roles[0] ?? '';
  const elsewhere = (person: Person): SchoolPlan | null =>
    plans.find(({ school }) => school.number !== person.places[0]?.school) ?? null;
  secondPlace(
    (person) => role(person) === 'pupil',
    (person) => {
      const plan = elsewhere(person);
      const grade = person.places[0]?.grade;
      const home = plan?.school.groups.find((g) => g.kind === 'class' && g.grade === grade);
      if (plan === null || home === undefined) return person;
      const place = pupilPlace(registry, { school: plan.school, home });
      return { ...person, places: [...person.places, place] };
    },
  );
  secondPlace(
    (person) => role(person) === 'teacher',
    (person) => {
      const plan = elsewhere(person);
      if (plan === null) return person;
      const groups = registry.random.sample(ofKind(plan.school, 'teaching'), 2);
      const place = newPlace(registry, { school: plan.school, roles: ['teacher'], groups });
      return { ...person, places: [...person.places, place] };
    },
  );
  secondPlace(
    (person) => person.places.length === 1 && person.places[0]?.grade === '9',
    (person) => {
      const plan = plans.find(({ school }) => school.number === person.places[0]?.school);
      if (plan === undefined) return person;
      const groups = ofKind(plan.school, 'afterschool');
      const place = newPlace(registry, { school: plan.school, roles: ['support'], groups });
      return { ...person, places: [...person.places, place] };
    },
  );
}

function protectSome(p: { readonly registry: Registry; readonly people: Person[] }): void {
  const { random } = p.registry;
  const count = Math.max(2, Math.round(p.people.length * protectedShare));
  const chosen = random.sample([...p.people.keys()], count);
  for (const [n, i] of chosen.entries()) {
    const person = protect(random, p.people[i] as Person);
    p.people[i] = n === 0 ? { ...person, alias: null } : person;
  }
}

/** Two guardians a child, mother and father of the same name, at the schools of the child. */
function withGuardians(p: {
  readonly registry: Registry;
  readonly people: readonly Person[];
}): Pick<Municipality, 'people' | 'relations'> {
  const { registry } = p;
  const guardians: Person[] = [];
  const relations: Relation[] = [];
  for (const child of p.people) {
    const schools = child.places.filter((place) => place.roles.includes('pupil'));
    if (schools.length === 0) continue;
    for (const kind of ['mother', 'father'] as const) {
      const places = schools.map(({ school }) => ({
        school,
        roles: ['guardian'] as const,
        grade: null,
        localId: null,
        groups: [],
        mainGroup: null,
      }));
      const guardian = newPerson(registry, { adult: true, family: child.family, places });
      const named = { ...guardian, given: registry.random.pick(adultNames), email: null };
      guardians.push(named);
      relations.push({
        guardian: named.uniId,
        child: child.uniId,
        kind,
        custody: kind === 'mother',
      });
    }
  }
  return { people: [...p.people, ...guardians], relations };
}
