import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPeople } from '../../provisioning/explain/find.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import { makeByHand } from '../adopt/by-hand.ts';
import type { Town } from '../adopt/town.ts';
import { openTown } from '../adopt/town.ts';
import type { SmallPerson } from '../support/roster.ts';
import { feedItems, smallRoster } from '../support/roster.ts';
import { ask, codes, sentence } from './asking.ts';

let town: Town;
const roster = smallRoster({ pupils: 3 });

beforeEach(async () => {
  town = await openTown();
});

afterEach(async () => {
  await town[Symbol.asyncDispose]();
});

const rosterWith = (person: Partial<SmallPerson>) => ({
  ...roster,
  people: roster.people.map((one) => (one.uniId === 'elev1001' ? { ...one, ...person } : one)),
});

it('not-committed: planned, and waiting for somebody to apply it', async () => {
  const plan = await town.sync({ roster, commit: false });
  const one = await ask(town, 'elev1001');
  expect(codes(one)).toEqual([
    'not-committed keycloak',
    'not-committed nextcloud',
    'not-committed moodle',
  ]);
  expect(sentence({ explanation: one, code: 'not-committed' })).toContain(`apply ${plan.id}`);
});

it('account-failed: somebody has the username in Nextcloud, and adopting is the remedy', async () => {
  await makeByHand({ town, username: 'elev1001' });
  await town.sync({ roster, commit: true });
  const one = await ask(town, 'elev1001');
  expect(codes(one)).toContain('account-failed nextcloud');
  expect(sentence({ explanation: one, code: 'account-failed', target: 'nextcloud' })).toMatch(
    /username-taken|not-ours/,
  );
  expect(sentence({ explanation: one, code: 'account-failed', target: 'nextcloud' })).toContain(
    'skolebus adopt',
  );
});

describe('a protected person', () => {
  const name = { given: 'Hemmelige', family: 'Hansen', email: 'hemmelige@skole.example' };
  const alias = { given: 'Alias', family: 'Andersen', protected: true };
  const secret = /hemmelig/i;

  it('is found and explained by the alias only, even before the plan is committed', async () => {
    await town.sync({ roster: rosterWith(name), commit: true });
    expect(JSON.stringify(await ask(town, 'hemmelige'))).toMatch(secret);

    const items = feedItems(rosterWith(alias));
    await acceptSnapshot({ ...town, source: 'main', items, now: new Date() });
    expect(await findPeople({ ...town, text: 'hemmelige', limit: 5 })).toEqual([]);
    const one = await ask(town, 'alias and');
    expect(one.person).toMatchObject({ name: 'Alias Andersen', protected: true });
    expect(JSON.stringify(one)).not.toMatch(secret);

    await town.sync({ roster: rosterWith(alias), commit: true });
    expect(JSON.stringify(await ask(town, 'elev1001'))).not.toMatch(secret);
  });

  it('without an alias is found by the placeholder', async () => {
    const hidden = { given: null, family: null, protected: true };
    await town.sync({ roster: rosterWith(hidden), commit: true });
    expect((await ask(town, 'beskyttet')).recognition.evidence[0]?.value).toBe('elev1001');
  });
});

describe('finding people', () => {
  beforeEach(async () => {
    await town.sync({ roster: rosterWith({ given: 'Æble', family: 'elev1002' }), commit: false });
  });

  it.each([
    ['ELEV1001', 1],
    ['æble', 1],
    // A username or UNI-ID just so is one person, whoever else has it in the name.
    ['elev1002', 1],
    ['Prøvesen', 5],
    ['%', 0],
    [' ', 0],
    ['nobody', 0],
  ])('%s names %i', async (text, count) => {
    expect(await findPeople({ ...town, text, limit: 5 })).toHaveLength(count);
  });

  it('takes our own id', async () => {
    const [match] = await findPeople({ ...town, text: 'elev1001', limit: 5 });
    expect((await ask(town, match?.id ?? '')).person.id).toBe(match?.id);
    expect(match?.institutions).toEqual(['Skole 101001']);
  });
});
