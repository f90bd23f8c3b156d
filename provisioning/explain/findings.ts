/** Plain answers to "why can she not log in", from what is known of a person. No I/O. */
import type { PackageExplanation } from '../policy/explain-packages.ts';
import { sentenceFor } from '../target/cause-sentences.ts';
import type { AccountExplanation, Explanation, TargetExplanation } from './explain.ts';
import type { AffiliationRow } from './roster.ts';
import type { Sentence } from './words.ts';
import { day, describeReason, describeUnmet, join, moment } from './words.ts';

export type FindingCode =
  | 'left-the-feed'
  | 'starts-later'
  | 'ended'
  | 'may-not-log-in'
  | 'no-account'
  | 'not-planned'
  | 'not-committed'
  | 'held'
  | 'kept'
  | 'protected-without-alias'
  | 'target-unreachable'
  | 'account-failed'
  | 'account-waits'
  | 'account-queued'
  | 'account-disabled'
  | 'account-ends'
  | 'place-not-ready'
  | 'all-right';

export interface Finding {
  readonly code: FindingCode;
  /** Null: about the person, not about one target. */
  readonly target: string | null;
  readonly sentence: Sentence;
}

type Known = Omit<Explanation, 'findings'>;

/** True of somebody whose accounts are all right. */
const untroubled: ReadonlySet<FindingCode> = new Set(['protected-without-alias', 'kept']);

export function findFindings(known: Known): readonly Finding[] {
  const findings = [
    ...aboutAffiliations(known),
    ...aboutHolds(known),
    ...aboutKept(known),
    ...known.targets.flatMap((target) => aboutTarget({ known, target })),
  ];
  const troubled = findings.some(({ code }) => !untroubled.has(code));
  const standing = known.targets.filter(({ account }) => account !== null);
  if (troubled || standing.length === 0) return findings;
  const names = standing.map(({ target }) => target).join(', ');
  return [
    ...findings,
    {
      code: 'all-right',
      target: null,
      sentence: {
        en: `Everything is as it should be in ${names}.`,
        da: `Alt er, som det skal være, i ${names}.`,
      },
    },
  ];
}

function about(code: FindingCode, sentence: Sentence, target: string | null = null): Finding {
  return { code, target, sentence };
}

function aboutAffiliations(known: Known): readonly Finding[] {
  const { affiliations } = known;
  const of = (state: AffiliationRow['state']) => affiliations.filter((one) => one.state === state);
  const findings: Finding[] = [];
  if (known.feed.some(({ mayLogIn }) => !mayLogIn)) {
    findings.push(
      about('may-not-log-in', {
        en: 'The feed says that this person must not sign in: the accounts stay closed until it says otherwise.',
        da: 'Data siger, at personen ikke må logge ind: konti er lukkede, til de siger andet.',
      }),
    );
  }
  if (of('present').length > 0) return findings;
  const [future] = of('future').toSorted((a, b) => (a.from ?? '').localeCompare(b.from ?? ''));
  const [ended] = of('ended').toSorted((a, b) => (b.to ?? '').localeCompare(a.to ?? ''));
  const [gone] = of('gone');
  if (future?.from != null) {
    const place = future.institutionName ?? future.institution;
    findings.push(
      about('starts-later', {
        ...(known.person.present
          ? {
              en: `The first day at ${place} is ${future.from}: the accounts are made ready before it.`,
              da: `Den første dag på ${place} er ${future.from}: konti gøres klar inden.`,
            }
          : {
              en: `The first day at ${place} is ${future.from}: policy wants nothing yet.`,
              da: `Den første dag på ${place} er ${future.from}: reglerne giver intet endnu.`,
            }),
      }),
    );
  } else if (gone?.goneAt != null) {
    const place = gone.institutionName ?? gone.institution;
    findings.push(
      about('left-the-feed', {
        en: `Left the feed ${gone.source} on ${day(gone.goneAt)}: it no longer has the person at ${place}.`,
        da: `Forlod ${gone.source} den ${day(gone.goneAt)}: personen står der ikke længere på ${place}.`,
      }),
    );
  } else if (ended?.to != null) {
    const place = ended.institutionName ?? ended.institution;
    findings.push(
      about('ended', {
        en: `The last day at ${place} was ${ended.to}.`,
        da: `Den sidste dag på ${place} var ${ended.to}.`,
      }),
    );
  }
  return findings;
}

function aboutHolds(known: Known): readonly Finding[] {
  const findings: Finding[] = [];
  if (known.person.withoutAlias) {
    findings.push(
      about('protected-without-alias', {
        en: 'Protected without an alias: shown by a neutral placeholder until the school enters an alias.',
        da: 'Beskyttet uden dæknavn: vises med en neutral tekst, til skolen skriver et dæknavn.',
      }),
    );
  }
  const open = known.holds.filter(
    ({ code, state }) => state === 'open' && code !== 'protected-without-alias',
  );
  for (const { id, code, why } of open) {
    findings.push(
      about('held', {
        en: `Held: ${code} (hold ${id}). ${why.en}`,
        da: `Holdt tilbage: ${code} (${id}). ${why.da}`,
      }),
    );
  }
  return findings;
}

function aboutKept(known: Known): readonly Finding[] {
  return known.kept.map(({ kind, until, reason, by }) => {
    const en = until === null ? 'until that is lifted' : `until ${until}`;
    const da = until === null ? 'til det ophæves' : `til ${until}`;
    return about(
      'kept',
      kind === 'keep'
        ? {
            en: `Kept ${en} by ${by} (${reason}): nothing is deactivated or deleted, whatever the feed says.`,
            da: `Holdes i live ${da} af ${by} (${reason}): intet lukkes eller slettes, uanset data.`,
          }
        : {
            en: `Legal hold ${en} by ${by} (${reason}): nothing is deleted.`,
            da: `Må ikke slettes ${da}, sat af ${by} (${reason}).`,
          },
    );
  });
}

interface TargetCase {
  readonly known: Known;
  readonly target: TargetExplanation;
}

function aboutTarget(p: TargetCase): readonly Finding[] {
  const { known, target } = p;
  const { account } = target;
  const name = target.target;
  const pending = known.pending.filter((change) => change.target === name);
  const findings: Finding[] = pending.slice(0, 1).map((change) => {
    const reason = describeReason(change.reason);
    if (change.held === null) {
      return about(
        'not-committed',
        {
          en: `The account in ${name} has a change that is planned and not committed (${reason.en}): skolebus apply ${change.plan}`,
          da: `Kontoen i ${name} har en ændring, som er planlagt og ikke sat i værk (${reason.da}): skolebus apply ${change.plan}`,
        },
        name,
      );
    }
    return about(
      'held',
      {
        en: `A change of the account in ${name} is held by ${change.held} (${reason.en}): see skolebus hold list`,
        da: `En ændring af kontoen i ${name} er holdt tilbage af ${change.held} (${reason.da}): se skolebus hold list`,
      },
      name,
    );
  });
  if (account === null) {
    return [...findings, ...(pending.length > 0 ? [] : aboutNoAccount(p))];
  }
  if (target.outage !== null && account.state === 'due') {
    const since = target.answeredAt === null ? null : moment(target.answeredAt);
    findings.push(
      about(
        'target-unreachable',
        {
          en: `${name} is out of reach ${since === null ? 'and has never answered' : `since ${since}`} (${target.outage}). ${sentenceFor(target.outage).en}`,
          da: `${name} kan ikke nås ${since === null ? 'og har aldrig svaret' : `siden ${since}`} (${target.outage}). ${sentenceFor(target.outage).da}`,
        },
        name,
      ),
    );
  } else findings.push(...aboutWork({ name, account }));
  return [...findings, ...aboutLife({ ...p, account, name }), ...aboutPlaces(p)];
}

function aboutNoAccount(p: TargetCase): readonly Finding[] {
  const { known, target } = p;
  const name = target.target;
  if (target.given) {
    return [
      about(
        'not-planned',
        {
          en: `Policy gives an account in ${name}, and no plan has made it yet: the next sync does.`,
          da: `Reglerne giver en konto i ${name}, og ingen plan har lavet den endnu: det gør den næste synkronisering.`,
        },
        name,
      ),
    ];
  }
  // Why there is nothing for somebody who is not there is said already.
  if (!known.person.present) return [];
  const givers = known.packages.filter(({ gives }) => gives.includes(target.type));
  const why = join(givers.map(describePackage), { en: '; ', da: '; ' });
  return [
    about(
      'no-account',
      givers.length === 0
        ? {
            en: `No account in ${name}: no package of the policy gives ${target.type} to anybody.`,
            da: `Ingen konto i ${name}: ingen pakke i reglerne giver ${target.type} til nogen.`,
          }
        : {
            en: `No account in ${name}: no package gives ${target.type}, because ${why.en}.`,
            da: `Ingen konto i ${name}: ingen pakke giver ${target.type}, fordi ${why.da}.`,
          },
      name,
    ),
  ];
}

/** The affiliation that came nearest stands for all of them. */
function describePackage(one: PackageExplanation): Sentence {
  const nearest = one.checks.toSorted((a, b) => a.unmet.length - b.unmet.length)[0];
  const { en, da } = join((nearest?.unmet ?? []).map(describeUnmet), { en: ' and ', da: ' og ' });
  return { en: `${one.name}: ${en}`, da: `${one.name}: ${da}` };
}

function aboutWork(p: {
  readonly name: string;
  readonly account: AccountExplanation;
}): readonly Finding[] {
  const { name, account } = p;
  const { failure } = account;
  if (account.state === 'settled') return [];
  if (account.state === 'failed' && failure !== null) {
    return [
      about(
        'account-failed',
        {
          en: `The account in ${name} failed: ${failure.code}. ${failure.sentence.en}`,
          da: `Kontoen i ${name} fejlede: ${failure.code}. ${failure.sentence.da}`,
        },
        name,
      ),
    ];
  }
  if (failure !== null) {
    return [
      about(
        'account-waits',
        {
          en: `The account in ${name} was tried ${account.attempts} times: ${failure.code}. ${failure.sentence.en} Next try ${moment(account.dueAt)}.`,
          da: `Kontoen i ${name} er prøvet ${account.attempts} gange: ${failure.code}. ${failure.sentence.da} Næste forsøg ${moment(account.dueAt)}.`,
        },
        name,
      ),
    ];
  }
  if (account.blockedBy.length > 0) {
    const what = account.blockedBy.join(', ');
    return [
      about(
        'account-waits',
        {
          en: `The account in ${name} waits until these stand there: ${what}.`,
          da: `Kontoen i ${name} venter på, at disse står der: ${what}.`,
        },
        name,
      ),
    ];
  }
  return [
    about(
      'account-queued',
      account.beingWritten
        ? {
            en: `The account in ${name} is being written now.`,
            da: `Kontoen i ${name} skrives netop nu.`,
          }
        : {
            en: `The account in ${name} waits for its turn since ${moment(account.changedAt)}. A worker must run: skolebus serve, or any skolebus sync.`,
            da: `Kontoen i ${name} venter på sin tur siden ${moment(account.changedAt)}. En worker skal køre: skolebus serve, eller enhver skolebus sync.`,
          },
      name,
    ),
  ];
}

function aboutLife(
  p: TargetCase & { readonly account: AccountExplanation; readonly name: string },
): readonly Finding[] {
  const { account, name } = p;
  const findings: Finding[] = [];
  if (!account.open) {
    const reason = describeReason(account.decided?.reason ?? 'shut');
    const left = p.known.affiliations.find((one) => one.state === 'gone' && one.goneAt !== null);
    const since = account.inactiveSince === null ? '' : ` since ${day(account.inactiveSince)}`;
    const siden = account.inactiveSince === null ? '' : ` siden ${day(account.inactiveSince)}`;
    const gone = left?.goneAt == null || p.known.person.present ? null : day(left.goneAt);
    findings.push(
      about(
        'account-disabled',
        {
          en: `The account in ${name} is disabled${since} because ${gone === null ? `it ${reason.en}` : `the person left the feed on ${gone}`}.`,
          da: `Kontoen i ${name} er lukket${siden}, fordi ${gone === null ? `den ${reason.da}` : `personen forlod data den ${gone}`}.`,
        },
        name,
      ),
    );
  }
  if (account.scheduledAt !== null && account.scheduledAction !== 'change') {
    const on = day(account.scheduledAt);
    findings.push(
      about(
        'account-ends',
        account.scheduledAction === 'delete'
          ? {
              en: `The account in ${name} is deleted on ${on}.`,
              da: `Kontoen i ${name} slettes den ${on}.`,
            }
          : {
              en: `The account in ${name} is closed on ${on}.`,
              da: `Kontoen i ${name} lukkes den ${on}.`,
            },
        name,
      ),
    );
  }
  return findings;
}

function aboutPlaces(p: TargetCase): readonly Finding[] {
  return p.target.places
    .filter(({ state, failure }) => state === 'failed' || failure !== null)
    .map((place) => {
      const code = place.failure?.code ?? 'no-outcome';
      const sentence = sentenceFor(code);
      return about(
        'place-not-ready',
        {
          en: `The ${place.kind} ${place.title} in ${place.target} is not as it should be: ${code}. ${sentence.en}`,
          da: `${place.title} (${place.kind}) i ${place.target} er ikke, som den skal være: ${code}. ${sentence.da}`,
        },
        place.target,
      );
    });
}
