import type { Database } from '../store/database.ts';
import type { Keep, KeepKind } from '../store/keep-alive.ts';
import { dayOf, endKeep, listKeeps, placeKeep } from '../store/keep-alive.ts';
import { choosePrimary, listInstitutionsOf } from '../store/primary-choice.ts';
import { findPerson, PersonError } from './find-person.ts';

interface Operator {
  readonly database: Database;
  readonly tenant: string;
  /** By what name the operator is known. */
  readonly by: string;
  readonly now: Date;
}

/**
 * Keeps somebody's accounts, whatever the feed says, from now on.
 *
 * @param p.person username, UNI-ID or our own id
 * @throws PersonError also `until-invalid`, for a day that is over or missing
 */
export async function keepPerson(
  p: Operator & {
    readonly person: string;
    readonly kind: KeepKind;
    /** The last day; null for a legal hold until it is lifted. */
    readonly until: string | null;
    readonly reason: string;
  },
): Promise<Keep> {
  const today = dayOf(p.now);
  if (p.until === null ? p.kind === 'keep' : p.until < today) {
    throw new PersonError({
      code: 'until-invalid',
      message: 'Say until which day accounts are kept, today or later. A legal hold needs none.',
    });
  }
  return p.database.as(p.tenant, async (tx) => {
    const person = await findPerson({ tx, text: p.person });
    const id = await placeKeep({ ...p, tx, person });
    const keeps = await listKeeps({ tx, person, today });
    const keep = keeps.find((one) => one.id === id);
    if (keep === undefined) throw new Error('The keep is not among those in force.');
    return keep;
  });
}

/** All that is in force, or what is in force for one person. @throws PersonError */
export async function listKept(
  p: Pick<Operator, 'database' | 'tenant' | 'now'> & { readonly person: string | null },
): Promise<readonly Keep[]> {
  return p.database.as(p.tenant, async (tx) => {
    const person = p.person === null ? null : await findPerson({ tx, text: p.person });
    return listKeeps({ tx, person, today: dayOf(p.now) });
  });
}

/** @throws PersonError `keep-unknown` when nothing of this id is in force */
export async function endKept(p: Operator & { readonly id: string }): Promise<void> {
  if (await p.database.as(p.tenant, (tx) => endKeep({ ...p, tx }))) return;
  throw new PersonError({ code: 'keep-unknown', message: 'Nothing of this id is in force.' });
}

/**
 * Makes an institution somebody's first; null: as the feed and policy say.
 *
 * @throws PersonError also `institution-unknown`, where the person is not there
 */
export async function choosePrimaryOf(
  p: Omit<Operator, 'now'> & {
    readonly person: string;
    readonly institution: string | null;
  },
): Promise<string> {
  return p.database.as(p.tenant, async (tx) => {
    const person = await findPerson({ tx, text: p.person });
    const known = await listInstitutionsOf({ tx, person });
    if (p.institution !== null && !known.includes(p.institution)) {
      throw new PersonError({
        code: 'institution-unknown',
        message: `This person is at ${known.join(', ') || 'no institution'} now: choose one of them.`,
      });
    }
    await choosePrimary({ ...p, tx, person });
    return person;
  });
}
