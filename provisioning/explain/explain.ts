import type { Hold } from '../plan/hold-inbox.ts';
import { listHoldsAbout } from '../plan/hold-inbox.ts';
import type { Fields } from '../plan/seen.ts';
import type { PackageExplanation } from '../policy/explain-packages.ts';
import type { TargetType } from '../policy/resource.ts';
import { accountKey } from '../policy/resource-rules.ts';
import type { TargetTypes } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import { needsAlias, shownName } from '../policy/shown-name.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { Keep } from '../store/keep-alive.ts';
import { dayOf, listKeeps } from '../store/keep-alive.ts';
import { sentenceFor } from '../target/cause-sentences.ts';
import type { Finding } from './findings.ts';
import { findFindings } from './findings.ts';
import type { AccountRow, FailureFields, PendingChange } from './ledger.ts';
import { readAccounts, readGroupTitles, readPending, readPlaces, readPulse } from './ledger.ts';
import type { Place } from './places.ts';
import { explainPlace } from './places.ts';
import type {
  AffiliationRow,
  FeedRow,
  MembershipRow,
  Recognition,
  RosterOfPerson,
} from './roster.ts';
import { readRosterOf } from './roster.ts';
import type { Wish } from './wish.ts';
import { readWishFor } from './wish.ts';
import type { Sentence } from './words.ts';

/** Everything from the feed to the servers about one person. */
export interface Explanation {
  readonly person: {
    readonly id: string;
    /** As everybody may see it: protected people by alias. */
    readonly name: string;
    readonly protected: boolean;
    readonly withoutAlias: boolean;
    readonly username: string | null;
    readonly present: boolean;
  };
  readonly feed: readonly FeedRow[];
  readonly recognition: Recognition;
  readonly affiliations: readonly AffiliationRow[];
  readonly memberships: readonly MembershipRow[];
  readonly packages: readonly PackageExplanation[];
  readonly targets: readonly TargetExplanation[];
  readonly pending: readonly PendingChange[];
  readonly holds: readonly Hold[];
  /** What an operator keeps against the feed. */
  readonly kept: readonly Pick<Keep, 'kind' | 'until' | 'reason' | 'by'>[];
  readonly findings: readonly Finding[];
}

export interface TargetExplanation {
  readonly target: string;
  readonly type: TargetType;
  /** Whether a package gives an account in such a target. */
  readonly given: boolean;
  /** Code of an outage that is going on. */
  readonly outage: string | null;
  readonly answeredAt: Date | null;
  readonly account: AccountExplanation | null;
  readonly places: readonly Place[];
}

export interface AccountExplanation
  extends Omit<AccountRow, 'desired' | 'applied' | 'scheduled' | 'failure' | 'target'> {
  /** Whether people may sign in, by the desired state. */
  readonly open: boolean;
  /** Whether the target has confirmed just the desired state. */
  readonly confirmed: boolean;
  readonly body: readonly { readonly field: string; readonly value: string }[];
  readonly failure: (FailureFields & { readonly sentence: Sentence }) | null;
  /** Whether it has a start password, which can be set once more while the account is open. */
  readonly startPassword: boolean;
  /** What happens on `scheduledAt`. */
  readonly scheduledAction: 'close' | 'delete' | 'change' | null;
}

/** Null for an id that is nobody's. Nothing is changed by asking. */
export async function explain(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly person: string;
  readonly now: Date;
}): Promise<Explanation | null> {
  const person = p.person.toLowerCase();
  const today = dayOf(p.now);
  const read = await p.database.as(p.tenant, async (tx) => {
    const roster = await readRosterOf({ tx, person, today });
    if (roster === null) return null;
    const wish = await readWishFor({ ...p, tx, person, today });
    const [named] = await tx.query<{ username: string }>(
      'select username from username where person_id = $1',
      [person],
    );
    const targets = await readTargets({ ...p, tx, person, roster, wish });
    const pending = await readPending({ tx, person });
    const kept = await listKeeps({ tx, person, today });
    return { roster, wish, targets, pending, kept, username: named?.username ?? null };
  });
  if (read === null) return null;
  const { roster, wish, ...rest } = read;
  const known = {
    person: {
      id: person,
      name: shownName(roster).full,
      protected: roster.protected,
      withoutAlias: needsAlias(roster),
      username: read.username,
      present: wish.present,
    },
    feed: roster.feed,
    recognition: roster.recognition,
    affiliations: roster.affiliations,
    memberships: roster.memberships,
    packages: wish.packages,
    targets: rest.targets,
    pending: rest.pending,
    holds: await listHoldsAbout({ ...p, person }),
    kept: rest.kept.map(({ kind, until, reason, by }) => ({ kind, until, reason, by })),
  };
  return { ...known, findings: findFindings(known) };
}

async function readTargets(p: {
  readonly tx: Transaction;
  readonly person: string;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly roster: RosterOfPerson;
  readonly wish: Wish;
}): Promise<readonly TargetExplanation[]> {
  const { tx } = p;
  const accounts = await readAccounts(p);
  const pulses = new Map((await readPulse(tx)).map((pulse) => [pulse.target, pulse]));
  const groups = (row: AccountRow | undefined) => listOf(row?.desired?.['groups']);
  const titles = await readGroupTitles({ tx, keys: accounts.flatMap(groups) });
  const explained: TargetExplanation[] = [];
  for (const [target, type] of p.targets) {
    const row = accounts.find((one) => one.target === target);
    const places = await readPlaces({ tx, target, key: accountKey(p.person), groups: groups(row) });
    const pulse = pulses.get(target);
    explained.push({
      target,
      type,
      given: p.wish.entitlement.targets.includes(type),
      outage: pulse?.outage ?? null,
      answeredAt: pulse?.answeredAt ?? null,
      account: row === undefined ? null : explainAccount({ row, hidden: p.roster.protected }),
      places: places.map((place) => explainPlace({ ...p, ...p.roster, place, titles })),
    });
  }
  return explained;
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function explainAccount(p: {
  readonly row: AccountRow;
  /** Protected: no name stands here but the one on top, for a body may be older than the protection. */
  readonly hidden: boolean;
}): AccountExplanation {
  const { desired, applied, scheduled, failure, target: _, ...row } = p.row;
  return {
    ...row,
    open: desired?.['active'] === true,
    confirmed: row.state === 'settled' && applied !== null,
    body: describeBody({ ...p, body: desired ?? {} }),
    failure: failure === null ? null : { ...failure, sentence: sentenceFor(failure.code) },
    startPassword: desired?.['startPassword'] !== undefined,
    scheduledAction:
      row.scheduledAt === null
        ? null
        : scheduled === null
          ? 'delete'
          : scheduled['active'] === false
            ? 'close'
            : 'change',
  };
}

const nameFields = new Set(['given', 'family', 'displayName', 'firstname', 'lastname', 'email']);
/** Told elsewhere: groups as places, `active` as open; a start password is nobody's business. */
const leftOut = new Set(['groups', 'active', 'startPassword']);

function describeBody(p: { readonly body: Fields; readonly hidden: boolean }) {
  return Object.entries(p.body).flatMap(([field, value]) => {
    if (leftOut.has(field) || value === null || (p.hidden && nameFields.has(field))) return [];
    if (field === 'attributes' || field === 'profileFields') {
      return Object.entries(value as Fields).map(([name, one]) => ({
        field: name,
        value: Array.isArray(one) ? one.join(', ') : String(one),
      }));
    }
    if (field === 'links') {
      const links = value as readonly Fields[];
      return links.map((link) => ({ field: 'login', value: String(link['provider']) }));
    }
    return [{ field, value: String(value) }];
  });
}
