import type { Explanation, TargetExplanation } from '../../provisioning/explain/explain.ts';
import { explain } from '../../provisioning/explain/explain.ts';
import type { Match } from '../../provisioning/explain/find.ts';
import { findPeople } from '../../provisioning/explain/find.ts';
import { describeReason, describeUnmet } from '../../provisioning/explain/words.ts';
import { openContext, typesOfTargets } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { openVoice, table } from './output.ts';
import { printJson } from './sync.ts';
import { UsageError } from './usage.ts';

/** More people than this are not listed: a longer part of the name tells them apart. */
const shown = 25;

/** `skolebus explain PERSON`. Returns the exit code: 2 when several people fit. */
export async function runExplain(p: {
  readonly person: string;
  readonly home: string;
  readonly json: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const matches = await findPeople({ ...context, text: p.person, limit: shown + 1 });
  const [match] = matches;
  if (match === undefined) {
    throw new UsageError(
      'Nobody in this home has this username, UNI-ID, id or part of a name. Protected people are found by their alias.',
    );
  }
  const voice = openVoice(p);
  if (matches.length > 1) {
    if (p.json) printJson({ matches });
    voice.say(describeMatches(matches));
    return 2;
  }
  const explanation = await explain({
    ...context,
    targets: typesOfTargets(context.connectors),
    person: match.id,
    now: new Date(),
  });
  if (explanation === null) throw new Error('The person vanished while being explained.');
  if (p.json) printJson(explanation);
  else voice.say(describeExplanation(explanation));
  return 0;
}

function describeMatches(matches: readonly Match[]): string {
  const rows = matches
    .slice(0, shown)
    .map(({ id, name, username, institutions }) => [
      name,
      username ?? '-',
      institutions.join(', '),
      id,
    ]);
  return [
    matches.length > shown
      ? `More than ${shown} people fit. Give a longer part of the name, a username or a UNI-ID.`
      : `${matches.length} people fit. Choose one by username or id: skolebus explain USERNAME`,
    table([['name', 'username', 'institutions', 'id'], ...rows]),
  ].join('\n');
}

function describeExplanation(one: Explanation): string {
  const { person } = one;
  const hidden = person.protected ? ', protected: shown by alias' : '';
  return [
    `${person.name} (${person.username ?? 'no username'}, person ${person.id}${hidden})`,
    '',
    ...one.findings.map(({ sentence }) => `* ${sentence.en}`),
    '',
    ...describeRoster(one),
    'Packages',
    ...describePackages(one),
    ...one.targets.flatMap(describeTarget),
    ...(one.holds.length === 0 ? [] : ['Holds', ...describeHolds(one)]),
  ].join('\n');
}

const date = (value: Date | string | null): string =>
  value === null ? '-' : new Date(value).toISOString().slice(0, 10);

const time = (value: Date | string | null): string =>
  value === null ? '-' : `${new Date(value).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function describeRoster(one: Explanation): readonly string[] {
  const { evidence, since } = one.recognition;
  const gone = (at: Date | null) => (at === null ? '' : ` since ${date(at)}`);
  return [
    'Feed',
    ...one.feed.map(
      (row) =>
        `  ${row.source}: record ${row.key}, ${row.state}${gone(row.goneAt)}; last changed by the reading of ${time(row.changedAt)} (${row.snapshot})`,
    ),
    'Recognised',
    `  as this person since ${date(since)}, by ${evidence.map(({ system, value }) => (value === null ? system : `${system} ${value}`)).join(', ') || "the source's own id"}`,
    'Affiliations',
    ...one.affiliations.map((row) => {
      const dates =
        row.from === null && row.to === null ? '' : `, ${row.from ?? ''} to ${row.to ?? ''}`;
      const grade = row.grade === null ? '' : `, grade ${row.grade}`;
      return `  ${row.kind} (${row.roles.join(', ')}) at ${row.institutionName ?? row.institution}${grade}${dates}: ${row.state}${gone(row.goneAt)}`;
    }),
    'Memberships',
    ...one.memberships.map(
      (row) => `  ${row.role} in ${row.groupName ?? row.group}: ${row.state}${gone(row.goneAt)}`,
    ),
  ];
}

function describePackages(one: Explanation): readonly string[] {
  return one.packages.map(({ name, gives, fired, checks }) => {
    if (fired) return `  ${name}: fired, gives ${gives.join(', ') || 'nothing'}`;
    const unmet = checks.map(
      (check) =>
        `${check.kind} at ${check.institution}: ${check.unmet.map((list) => describeUnmet(list).en).join(' and ')}`,
    );
    return `  ${name}: did not fire; ${unmet.join('; ') || 'no affiliation today'}`;
  });
}

function describeTarget(one: TargetExplanation): readonly string[] {
  const { account } = one;
  if (account === null) return [`${one.target}: no account`];
  const { decided, failure } = account;
  const lines = [
    `${one.target}: ${account.state}, ${account.open ? 'open' : 'closed'}${account.scheduledAt === null ? '' : `, ${account.scheduledAction} on ${date(account.scheduledAt)}`}`,
    `  wanted: ${account.body.map(({ field, value }) => `${field} ${value}`).join(', ')}`,
    `  last call: ${time(account.triedAt)}${failure === null ? (account.triedAt === null ? '' : ', confirmed') : `, ${failure.code}: ${failure.sentence.en}`}`,
  ];
  if (account.state === 'due') {
    lines.push(
      `  next try: ${time(account.dueAt)}${account.waitsFor.length === 0 ? '' : `, after ${account.waitsFor.join(', ')}`}`,
    );
  }
  if (decided !== null) {
    const why = decided.reason === null ? '' : `: ${describeReason(decided.reason).en}`;
    const by = decided.by === null ? '' : ` by ${decided.by}`;
    lines.push(
      `  decided: plan ${decided.plan}, made ${time(decided.createdAt)}, committed ${time(decided.committedAt)}${by}${why}`,
    );
  }
  return [
    ...lines,
    ...one.places.map(
      (place) => `  in ${place.kind} ${place.title} (${place.state}): ${place.because.en}`,
    ),
  ];
}

function describeHolds(one: Explanation): readonly string[] {
  return one.holds.map(({ id, code, state, decision }) => {
    const decided = decision === null ? '' : `: ${decision.choice} by ${decision.by ?? '-'}`;
    return `  ${code} (${id}), ${state}${decided}`;
  });
}
