import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { choicesFor, whyHeld } from '../../provisioning/plan/hold-catalogue.ts';
import type { Hold } from '../../provisioning/plan/hold-inbox.ts';
import {
  decideHold,
  findHold,
  listHolds,
  revokeDecision,
} from '../../provisioning/plan/hold-inbox.ts';
import type { NewHold } from '../../provisioning/store/hold.ts';
import { readDecisions, tellHolds } from '../../provisioning/store/hold.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

let line: Line;
const now = new Date('2026-11-02T05:00:00Z');
const tomorrow = new Date('2026-11-03T05:00:00Z');

beforeAll(async () => {
  line = await openLine();
});

afterAll(async () => {
  await line[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await line.database.as(line.tenant, (tx) => tx.execute('delete from hold'));
});

function limitHold(institution: string): NewHold {
  return {
    code: 'limit-people-leaving',
    subject: `${institution}/keycloak/account`,
    institution,
    person: null,
    evidence: { target: 'keycloak', kind: 'account', action: 'deactivate', count: 25, of: 32 },
  };
}

const tell = (...holds: readonly NewHold[]) =>
  line.database.as(line.tenant, (tx) =>
    tellHolds({ tx, codes: [...new Set(holds.map((hold) => hold.code))], holds }),
  );

const list = (p: Partial<Parameters<typeof listHolds>[0]> = {}) =>
  listHolds({
    ...line,
    state: 'open',
    institution: null,
    code: null,
    after: null,
    limit: 100,
    ...p,
  });

const decide = (hold: Hold | undefined, p: Partial<Parameters<typeof decideHold>[0]> = {}) =>
  decideHold({
    ...line,
    id: hold?.id ?? '',
    choice: 'allow',
    scope: 'once',
    until: null,
    by: 'anna',
    now,
    ...p,
  });

const inForce = (code: string, at: Date) =>
  line.database.as(line.tenant, (tx) => readDecisions({ tx, codes: [code], now: at }));

describe('the inbox', () => {
  it('tells what is held, why, and what each choice does', async () => {
    await tell(limitHold('101001'));
    const [hold] = await list();
    expect(hold).toMatchObject({
      code: 'limit-people-leaving',
      institution: '101001',
      target: 'keycloak',
      kind: 'account',
      action: 'deactivate',
      count: 25,
      of: 32,
      state: 'open',
      decision: null,
    });
    expect(hold?.choices.map(({ choice }) => choice)).toEqual(['allow', 'refuse']);
    expect(hold?.why.da).not.toBe(hold?.why.en);
  });

  it('pages to the end, every hold once, also those of one moment', async () => {
    await tell(...Array.from({ length: 7 }, (_, n) => limitHold(`10100${n}`)));
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = await list({ after, limit: 3 });
      seen.push(...page.map((hold) => hold.subject));
      after = page.at(-1)?.id ?? null;
      if (page.length < 3) break;
    }
    expect(new Set(seen).size).toBe(7);
    expect(seen).toHaveLength(7);
  });

  it('filters by institution and by code', async () => {
    await tell(limitHold('101001'), limitHold('101002'));
    expect(await list({ institution: '101002' })).toHaveLength(1);
    expect(await list({ code: 'undone' })).toEqual([]);
  });
});

describe('a decision', () => {
  it('is in force for the code and subject, and leaves the list of what waits', async () => {
    await tell(limitHold('101001'));
    const decided = await decide((await list())[0]);
    expect(decided.decision).toMatchObject({ choice: 'allow', scope: 'once', by: 'anna' });
    expect(await list()).toEqual([]);
    expect(await list({ state: 'decided' })).toHaveLength(1);
    expect(await inForce('limit-people-leaving', now)).toMatchObject([
      { subject: '101001/keycloak/account', choice: 'allow' },
    ]);
  });

  it('as a rule ends with its day', async () => {
    await tell(limitHold('101001'));
    await decide((await list())[0], { scope: 'rule', until: tomorrow });
    expect(await inForce('limit-people-leaving', now)).toHaveLength(1);
    expect(await inForce('limit-people-leaving', tomorrow)).toEqual([]);
  });

  it('can be taken back, and then the same can be decided anew', async () => {
    await tell(limitHold('101001'));
    const { id } = await decide((await list())[0], { scope: 'rule' });
    await revokeDecision({ ...line, id, now: tomorrow });
    expect(await inForce('limit-people-leaving', tomorrow)).toEqual([]);
    await expect(revokeDecision({ ...line, id, now: tomorrow })).rejects.toMatchObject({
      code: 'hold-not-decided',
    });
    await tell(limitHold('101001'));
    await decide((await list())[0], { choice: 'refuse', now: tomorrow });
  });

  it('is refused a second time, with the remedy', async () => {
    await tell(limitHold('101001'));
    const [hold] = await list();
    await decide(hold);
    await expect(decide(hold)).rejects.toMatchObject({
      code: 'hold-not-open',
      message: expect.stringContaining(`hold revoke ${hold?.id}`),
    });
  });

  it('is refused where nothing is there to decide', async () => {
    await tell(limitHold('101001'));
    const [hold] = await list();
    await line.database.as(line.tenant, (tx) =>
      tellHolds({ tx, codes: ['limit-people-leaving'], holds: [] }),
    );
    await expect(decide(hold)).rejects.toMatchObject({ code: 'hold-not-open' });
    await expect(decide(undefined)).rejects.toMatchObject({ code: 'hold-unknown' });
  });

  it.each([
    [{ choice: 'new' }, 'choice-unknown'],
    [{ until: tomorrow }, 'until-invalid'],
    [{ scope: 'rule', until: now, now: tomorrow }, 'until-invalid'],
  ] as const)('is refused with %j', async (p, code) => {
    await tell(limitHold('101001'));
    await expect(decide((await list())[0], p)).rejects.toMatchObject({ code });
    expect(await list()).toHaveLength(1);
  });
});

describe('who somebody is', () => {
  it('can only be one of those whom the evidence names', async () => {
    await line.day({ roster: smallRoster({ pupils: 1 }), now });
    const people = await line.database.as(line.tenant, (tx) =>
      tx.query<{ id: string }>('select id from person order by id limit 3'),
    );
    const [one, two, other] = people.map(({ id }) => id);
    await tell({
      code: 'identity-contradiction',
      subject: 'main/elev9999',
      institution: '101001',
      person: null,
      evidence: { record: 'elev9999', people: [two, one] },
    });
    const [hold] = await list();
    expect(hold?.choices.map(({ choice }) => choice)).toEqual([
      `same:${one}`,
      `same:${two}`,
      'new',
      'wait',
    ]);
    expect(hold?.choices[0]?.does.en).toMatch(/It is \S+ Prøvesen/);
    await expect(decide(hold, { choice: `same:${other}` })).rejects.toMatchObject({
      code: 'choice-unknown',
    });
    await decide(hold, { choice: `same:${one}` });
  });
});

describe('protected people without an alias', () => {
  const roster = smallRoster({ pupils: 2 });
  const hidden = {
    ...roster,
    people: roster.people.map((person) =>
      person.uniId === 'elev1001'
        ? { ...person, protected: true, given: null, family: null }
        : person,
    ),
  };

  it('wait in the inbox one by one, until the school has entered an alias', async () => {
    const first = await line.day({ roster: hidden, now });
    expect(first.plan.held).toMatchObject([{ code: 'protected-without-alias', count: 1 }]);
    const [hold] = await list();
    expect(hold).toMatchObject({ code: 'protected-without-alias', institution: '101001' });
    expect(hold?.choices.map(({ choice }) => choice)).toEqual(['wait']);

    const again = await line.day({ roster: hidden, now: tomorrow });
    expect(countPlanned(again.plan)).toBe(0);
    expect(await list()).toHaveLength(1);

    await line.day({ roster, now: tomorrow });
    expect(await list()).toEqual([]);
    expect((await findHold({ ...line, id: hold?.id ?? '' }))?.state).toBe('gone');
  });

  it('are not asked about again while a rule says to wait', async () => {
    await line.day({ roster: hidden, now });
    await decide((await list())[0], { choice: 'wait', scope: 'rule', until: tomorrow });
    const { plan } = await line.day({ roster: hidden, now });
    expect(plan.held).toMatchObject([{ code: 'protected-without-alias', count: 1 }]);
    expect(await list()).toEqual([]);
    await line.day({ roster: hidden, now: new Date('2026-11-04T05:00:00Z') });
    expect(await list()).toHaveLength(1);
  });

  it('are asked about again after one plan when somebody waits once', async () => {
    await line.day({ roster: hidden, now });
    await decide((await list())[0], { choice: 'wait' });
    await line.day({ roster: hidden, now });
    expect(await list()).toEqual([]);
    await line.day({ roster: hidden, now });
    expect(await list()).toHaveLength(1);
  });
});

describe('the catalogue', () => {
  it.each([
    ['limit-groups-vanishing', ['allow', 'refuse']],
    ['undone', ['allow', 'refuse']],
    ['identity-shared', ['new', 'wait']],
    ['relation-contradiction', ['new', 'wait']],
    ['protected-without-alias', ['wait']],
    ['adoption-ambiguous', []],
    ['code-of-a-later-version', []],
  ])('offers for %s: %j', (code, choices) => {
    expect(choicesFor({ code, people: [] }).map(({ choice }) => choice)).toEqual(choices);
    const sentences = [whyHeld(code), ...choicesFor({ code, people: [] }).map((c) => c.does)];
    for (const { da, en } of sentences) {
      expect(en).toMatch(/\.$/);
      expect(da).toMatch(/\.$/);
      expect(en).not.toMatch(/[æøå]/);
    }
  });
});
