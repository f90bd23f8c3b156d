import { dayAfter } from '../../provisioning/feed/date.ts';
import { familyNames } from './names.ts';
import type { Registry } from './people.ts';
import { newPerson, ofKind, protect, pupilPlace, staffPlace } from './people.ts';
import { createRandom } from './random.ts';
import type { Group, Municipality, Person, School } from './truth.ts';

/** What happened in a day, as numbers. */
export interface Events {
  readonly joiners: number;
  readonly leavers: number;
  readonly classMoves: number;
  readonly schoolMoves: number;
  readonly nameChanges: number;
  readonly newTeachings: number;
  readonly groupsRenamed: number;
  readonly protectionsOn: number;
}

/** The day after: an ordinary one. The same day always brings the same. */
export function advanceOneDay(truth: Municipality): {
  readonly truth: Municipality;
  readonly events: Events;
} {
  const random = createRandom(truth.seed * 31 + truth.day);
  const registry: Registry = { random, taken: new Set(truth.people.map(({ uniId }) => uniId)) };
  const few = Math.max(2, Math.round(truth.people.length / 1000));
  const day: Day = {
    registry,
    schools: truth.schools.map((school) => ({ ...school, groups: [...school.groups] })),
    people: [...truth.people],
    touched: new Set(truth.relations.map(({ child }) => child)),
  };
  // Children with guardians stay where they are: their guardians' places would have to follow.
  const events = {
    leavers: leave(day, few),
    classMoves: change(day, few + 2, ordinaryPupil, (person) => moveClass(day, person)),
    schoolMoves: change(day, 1, ordinaryPupil, (person) => moveSchool(day, person)),
    nameChanges: change(day, 1, ordinaryAdult, (person) => rename(day, person)),
    newTeachings: change(day, 1, teacher, (person) => teachMore(day, person)),
    protectionsOn: change(day, 1, ordinaryPupil, (person) => protect(random, person)),
    groupsRenamed: renameGroup(day),
    joiners: join(day, few),
  };
  return {
    events,
    truth: {
      ...truth,
      day: truth.day + 1,
      date: dayAfter(truth.date),
      schools: day.schools,
      people: day.people,
    },
  };
}

interface Day {
  readonly registry: Registry;
  readonly schools: (School & { groups: Group[] })[];
  readonly people: Person[];
  /** One event a person a day. */
  readonly touched: Set<string>;
}

function ordinary(person: Person): boolean {
  return person.places.length === 1 && !person.protected;
}

function ordinaryPupil(person: Person): boolean {
  return ordinary(person) && person.places[0]?.roles[0] === 'pupil';
}

function ordinaryAdult(person: Person): boolean {
  const role = person.places[0]?.roles[0];
  return ordinary(person) && role !== 'pupil' && role !== 'guardian';
}

function teacher(person: Person): boolean {
  return person.places[0]?.roles.includes('teacher') === true;
}

/** Changes up to `count` people whom nothing happened to yet; null leaves one alone. */
function change(
  day: Day,
  count: number,
  where: (person: Person) => boolean,
  make: (person: Person) => Person | null,
): number {
  const fitting = [...day.people.entries()].filter(
    ([, person]) => where(person) && !day.touched.has(person.uniId),
  );
  let changed = 0;
  for (const [i, person] of day.registry.random.sample(fitting, count * 4)) {
    if (changed === count) break;
    const after = make(person);
    if (after === null) continue;
    day.people[i] = after;
    day.touched.add(person.uniId);
    changed += 1;
  }
  return changed;
}

function leave(day: Day, count: number): number {
  const { random } = day.registry;
  const leaving = (where: (person: Person) => boolean, n: number) =>
    random.sample(
      day.people.filter((person) => where(person) && !day.touched.has(person.uniId)),
      n,
    );
  const gone = new Set([...leaving(ordinaryPupil, count), ...leaving(ordinaryAdult, 1)]);
  const staying = day.people.filter((person) => !gone.has(person));
  day.people.splice(0, day.people.length, ...staying);
  return gone.size;
}

function join(day: Day, count: number): number {
  const { registry } = day;
  for (let n = 0; n < count; n++) {
    const school = registry.random.pick(day.schools);
    const home = registry.random.pick(ofKind(school, 'class'));
    const places = [pupilPlace(registry, { school, home })];
    day.people.push(newPerson(registry, { adult: false, places }));
  }
  const places = [
    staffPlace(registry, { school: registry.random.pick(day.schools), leader: false }),
  ];
  day.people.push(newPerson(registry, { adult: true, places }));
  return count + 1;
}

function moveClass(day: Day, person: Person): Person | null {
  const [place] = person.places;
  const school = day.schools.find(({ number }) => number === place?.school);
  const other = school?.groups.find(
    ({ kind, grade, id }) => kind === 'class' && grade === place?.grade && id !== place.mainGroup,
  );
  if (place === undefined || other === undefined) return null;
  const groups = place.groups.map((id) => (id === place.mainGroup ? other.id : id));
  return { ...person, places: [{ ...place, groups, mainGroup: other.id }] };
}

function moveSchool(day: Day, person: Person): Person | null {
  const [place] = person.places;
  for (const school of day.schools) {
    if (school.number === place?.school) continue;
    const home = school.groups.find((g) => g.kind === 'class' && g.grade === place?.grade);
    if (home === undefined) continue;
    return { ...person, places: [pupilPlace(day.registry, { school, home })] };
  }
  return null;
}

function rename(day: Day, person: Person): Person {
  const others = familyNames.filter((name) => name !== person.family);
  return { ...person, family: day.registry.random.pick(others) };
}

function teachMore(day: Day, person: Person): Person | null {
  const [place, ...rest] = person.places;
  const school = day.schools.find(({ number }) => number === place?.school);
  if (place === undefined || school === undefined) return null;
  const other = ofKind(school, 'class').find(({ id }) => !place.groups.includes(id));
  if (other === undefined) return null;
  return { ...person, places: [{ ...place, groups: [...place.groups, other.id] }, ...rest] };
}

function renameGroup(day: Day): number {
  const school = day.registry.random.pick(day.schools);
  const i = school.groups.findIndex(({ kind }) => kind === 'teaching');
  const group = school.groups[i];
  if (group === undefined) return 0;
  school.groups[i] = { ...group, name: `${group.name} (nyt hold)` };
  return 1;
}
