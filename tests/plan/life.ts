import { expect } from 'vitest';
import { findPerson } from '../../provisioning/plan/find-person.ts';
import type { Body } from '../../provisioning/policy/resource.ts';
import type { KeepKind } from '../../provisioning/store/keep-alive.ts';
import { endKeep, listKeeps, placeKeep } from '../../provisioning/store/keep-alive.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallPerson, SmallRoster } from '../support/roster.ts';
import { smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-02T05:00:00Z');
export const after = (days: number) => new Date(monday.getTime() + days * 86_400_000);
export const dayAfter = (days: number) => after(days).toISOString().slice(0, 10);

/** Two schools with three pupils each, and whoever else a test is about. */
export function town(...more: readonly SmallPerson[]): SmallRoster {
  const roster = smallRoster({ pupils: 3 });
  return { ...roster, people: [...roster.people, ...more] };
}

/** Whom most tests are about. */
export const teacher = {
  uniId: 'nyla0001',
  institution: '101001',
  kind: 'staff',
  roles: ['teacher'],
  groups: ['7A'],
} as const satisfies SmallPerson;

export interface Life extends AsyncDisposable {
  readonly line: Line;
  /** One day: sync and drain, and a second sync that must plan nothing. Returns what was planned, sorted. */
  day(p: { readonly roster: SmallRoster; readonly now: Date }): Promise<readonly string[]>;
  /** A day on which no feed comes: only what was scheduled happens. */
  quietDay(now: Date): Promise<void>;
  account(username: string, target?: 'keycloak' | 'nextcloud' | 'moodle'): Body | undefined;
  /** Username -> whether the Keycloak account is open. */
  open(username: string): boolean | undefined;
  inCourse(username: string): Promise<boolean>;
  keep(p: {
    readonly who: string;
    readonly kind?: KeepKind;
    readonly until?: string | null;
    readonly now: Date;
  }): Promise<void>;
  endKeeps(p: { readonly who: string; readonly now: Date }): Promise<void>;
  person(text: string): Promise<string>;
}

export async function openLife(policy = 'version: 1\n'): Promise<Life> {
  const line = await openLine({ policy });
  const { database, tenant, targets } = line;

  const account: Life['account'] = (username, target = 'keycloak') =>
    [...targets[target].held.values()].find(
      (body) =>
        ('username' in body && body.username === username) ||
        ('userId' in body && body.userId === username),
    );
  const person = (text: string) => database.as(tenant, (tx) => findPerson({ tx, text }));

  return {
    line,
    account,
    person,
    async day({ roster, now }) {
      const { plan } = await line.day({ roster, now });
      expect(plan.held).toEqual([]);
      await line.drain();
      const changes = await line.changes(plan.id);
      const again = await line.day({ roster, now });
      expect(countPlanned(again.plan)).toBe(0);
      return changes.map((c) => `${c.target} ${c.kind} ${c.action} ${c.reason.code}`).sort();
    },
    async quietDay(now) {
      await line.promote(now);
      await line.drain();
    },
    open: (username) => account(username)?.active,
    async inCourse(username) {
      const key = `person:${await person(username)}`;
      return [...targets.moodle.held.values()].some(
        (body) => 'enrolments' in body && key in body.enrolments,
      );
    },
    async keep({ who, kind = 'keep', until = null, now }) {
      const id = await person(who);
      const reason = 'Prøve';
      await database.as(tenant, (tx) =>
        placeKeep({ tx, person: id, kind, until, reason, by: 'test', now }),
      );
    },
    async endKeeps({ who, now }) {
      const id = await person(who);
      await database.as(tenant, async (tx) => {
        const today = now.toISOString().slice(0, 10);
        for (const keep of await listKeeps({ tx, person: id, today })) {
          await endKeep({ tx, id: keep.id, by: 'test', now });
        }
      });
    },
    [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
  };
}
