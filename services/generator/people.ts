import type { AffiliationRole } from '../../provisioning/feed/record.ts';
import { adultNames, aliases, childNames, familyNames } from './names.ts';
import type { Random } from './random.ts';
import type { SchoolPlan } from './school.ts';
import type { Group, Person, Place, School } from './truth.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const marks = `${letters}0123456789`;

/** Makes people with ids that no one else has. */
export interface Registry {
  readonly random: Random;
  readonly taken: Set<string>;
}

/** Old form: four letters and four letters or digits. New form: ten characters. All fictive. */
export function newUniId(registry: Registry): string {
  const { random, taken } = registry;
  const draw = (pool: string, n: number): string =>
    Array.from({ length: n }, () => random.pick([...pool])).join('');
  let id: string;
  do {
    id = random.chance(0.7) ? draw(letters, 4) + draw(marks, 4) : draw(letters, 1) + draw(marks, 9);
  } while (taken.has(id));
  taken.add(id);
  return id;
}

export function newPerson(
  registry: Registry,
  p: { readonly adult: boolean; readonly family?: string; readonly places: readonly Place[] },
): Person {
  const { random } = registry;
  const uniId = newUniId(registry);
  const given = random.pick(p.adult ? adultNames : childNames);
  const middle = !p.adult && random.chance(0.15) ? ` ${random.pick(childNames)}` : '';
  return {
    uniId,
    given: given + middle,
    family: p.family ?? random.pick(familyNames),
    protected: false,
    alias: null,
    email: p.adult ? `${uniId}@skole.example` : null,
    places: p.places,
  };
}

export function newPlace(
  registry: Registry,
  p: {
    readonly school: School;
    readonly roles: Place['roles'];
    readonly grade?: string | null;
    readonly groups: readonly Group[];
    readonly mainGroup?: Group | null;
  },
): Place {
  const groups = [...new Set(p.groups.map((group) => group.id))];
  return {
    school: p.school.number,
    roles: p.roles,
    grade: p.grade ?? null,
    localId: `L${registry.random.between(10_000_000, 99_999_999)}`,
    groups,
    mainGroup: p.mainGroup?.id ?? null,
  };
}

/** A pupil's place: home class, year, four to five teaching groups from grade 4, SFO to grade 3. */
export function pupilPlace(
  registry: Registry,
  p: { readonly school: School; readonly home: Group },
): Place {
  const { random } = registry;
  const { school, home } = p;
  const { grade } = home;
  const sameGrade = school.groups.filter((group) => group.grade === grade);
  const groups = [home, ...sameGrade.filter((group) => group.kind === 'year')];
  const teaching = sameGrade.filter((group) => group.kind === 'teaching');
  groups.push(...random.sample(teaching, random.between(4, 5)));
  if (random.chance(0.5)) groups.push(...sameGrade.filter((group) => group.kind === 'line'));
  if (Number(grade) <= 3 && random.chance(0.8)) groups.push(...ofKind(school, 'afterschool'));
  if (random.chance(0.03)) groups.push(...ofKind(school, 'other'));
  return newPlace(registry, { school, roles: ['pupil'], grade, groups, mainGroup: home });
}

/** A child who is in the SFO of the school and not yet in a class. */
function childPlace(registry: Registry, school: School): Place | null {
  const [sfo] = ofKind(school, 'afterschool');
  if (sfo === undefined) return null;
  const groups = [sfo];
  return newPlace(registry, { school, roles: ['child'], grade: 'DT', groups, mainGroup: sfo });
}

export function ofKind(school: School, kind: Group['kind']): readonly Group[] {
  return school.groups.filter((group) => group.kind === kind);
}

/** Share of the staff per role, after the one leader. */
const staffRoles: readonly (readonly [number, Place['roles']])[] = [
  [0.58, ['teacher']],
  [0.76, ['pedagogue']],
  [0.83, ['substitute']],
  [0.87, ['management']],
  [0.9, ['consultant']],
  [0.92, ['teacher', 'substitute']],
  [1, ['support']],
];

export function staffPlace(
  registry: Registry,
  p: { readonly school: School; readonly leader: boolean },
): Place {
  const { random } = registry;
  const { school } = p;
  const draw = random.next();
  const roles: Place['roles'] = p.leader
    ? ['leader']
    : (staffRoles.find(([limit]) => draw < limit)?.[1] ?? ['support']);
  return newPlace(registry, { school, roles, groups: staffGroups({ random, school, roles }) });
}

/** Teachers have eight to fifteen groups, pedagogues the SFO and young classes, others a team or none. */
function staffGroups(p: {
  readonly random: Random;
  readonly school: School;
  readonly roles: readonly AffiliationRole[];
}): readonly Group[] {
  const { random, school, roles } = p;
  const team = random.sample(ofKind(school, 'team'), 1);
  const classes = ofKind(school, 'class');
  if (roles.includes('teacher')) {
    const teaching = random.sample(ofKind(school, 'teaching'), random.between(3, 8));
    return [...team, ...random.sample(classes, random.between(4, 6)), ...teaching];
  }
  if (roles.includes('pedagogue')) {
    const young = classes.filter((group) => Number(group.grade) <= 3);
    return [...team, ...ofKind(school, 'afterschool'), ...random.sample(young, 2)];
  }
  if (roles.includes('substitute')) return random.sample(classes, 2);
  return roles.includes('support') ? [] : team;
}

export function externalPlace(registry: Registry, school: School): Place {
  const { random } = registry;
  const groups = random.sample(ofKind(school, 'class'), 1);
  return newPlace(registry, { school, roles: [random.pick(['trainee', 'external'])], groups });
}

/** All pupils of a school; siblings share their family name with a chance of 0.45. */
export function* pupilsOf(registry: Registry, plan: SchoolPlan): Generator<Person> {
  let family: string | null = null;
  for (const [n, { group, size }] of plan.classes.entries()) {
    for (let i = 0; i < size; i++) {
      const sibling: boolean = family !== null && registry.random.chance(0.2);
      const child = n === 0 && i < 2 ? childPlace(registry, plan.school) : null;
      const places = [child ?? pupilPlace(registry, { school: plan.school, home: group })];
      const person = newPerson(registry, {
        adult: false,
        places,
        ...(sibling && family !== null ? { family } : {}),
      });
      family = person.family;
      yield person;
    }
  }
}

/** Protection with an alias, the usual case. */
export function protect(random: Random, person: Person): Person {
  return { ...person, protected: true, alias: random.pick(aliases), email: null };
}
