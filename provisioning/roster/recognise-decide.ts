/**
 * Who a record of a feed is, judged by evidence alone. No I/O.
 *
 * A piece of evidence is an id that the record claims and that is known of a person. It `agrees` with
 * the person it is known of, and `differs` from a person who is known by another id of that system
 * and not by this one. Names, e-mails and usernames are no evidence.
 *
 *   points to | agrees                     | differs            | decision
 *   ----------+----------------------------+--------------------+--------------------------------------
 *   (any)     | one id in the feed carries the pieces of two    | hold: shared
 *   nobody    |                            |                    | a new person
 *   several   | one by id and civil, the   |                    | the one by id and civil
 *             | others by local id only    |                    |
 *   several   | otherwise                  |                    | hold: points-to-several
 *   one       | ids only                   | local, and civil   | hold: reissued
 *             |                            | or replacement     |
 *   one       | two pieces or more         | one at most        | that person
 *   one       | two pieces or more         | two or more        | hold: divided
 *   one       | id                         | nothing, or only   | that person
 *             |                            | local/replacement  |
 *   one       | id                         | civil              | hold: changed-hands
 *   one       | id                         | another id         | hold: id-alone
 *   one       | civil                      | nothing            | that person
 *   one       | civil                      | anything           | hold: civil-alone
 *   one       | local                      | id and civil       | a new person: the number was reused
 *   one       | local                      | otherwise          | hold: local-alone
 *
 * An id is a UNI-ID, the source's own id of its record, or an id of another system. A replacement
 * number never points to anybody (schools make them up, and two may make up the same), and counts as
 * a piece only where nothing differs: it may change to the real number any day.
 */

export type EvidenceKind = 'uni-id' | 'source' | 'other' | 'local' | 'civil' | 'replacement';

/** How the record's evidence stands to one person that some of it is known of. */
export interface Candidate {
  readonly agrees: readonly EvidenceKind[];
  readonly differs: readonly EvidenceKind[];
}

export interface EvidenceSummary {
  /** Kinds of which one id in the feed carries two people's pieces. */
  readonly shared: readonly EvidenceKind[];
  readonly candidates: readonly Candidate[];
}

export type HoldReason =
  | 'shared'
  | 'points-to-several'
  | 'reissued'
  | 'divided'
  | 'changed-hands'
  | 'id-alone'
  | 'civil-alone'
  | 'local-alone';

export type Recognition =
  /** `candidate`: which of the summary's. */
  | { readonly verdict: 'link'; readonly candidate: number }
  | { readonly verdict: 'new' }
  | { readonly verdict: 'hold'; readonly reason: HoldReason };

const ids: ReadonlySet<EvidenceKind> = new Set(['uni-id', 'source', 'other']);

export function recognise(summary: EvidenceSummary): Recognition {
  if (summary.shared.length > 0) return hold('shared');
  const pointed = summary.candidates
    .map((candidate, index) => ({ ...candidate, index }))
    .filter((candidate) => !isReusedNumber(candidate));
  const [first] = pointed;
  if (first === undefined) return { verdict: 'new' };
  if (pointed.length === 1) return judgeOne(first);
  const lead = pointed.find(({ agrees }) => hasId(agrees) && agrees.includes('civil'));
  const others = pointed.filter((candidate) => candidate !== lead);
  if (lead === undefined || !others.every(({ agrees }) => only(agrees, 'local'))) {
    return hold('points-to-several');
  }
  return judgeOne(lead);
}

function judgeOne(p: Candidate & { readonly index: number }): Recognition {
  const { agrees, differs } = p;
  const link: Recognition = { verdict: 'link', candidate: p.index };
  const unlike = differs.filter((kind) => kind !== 'replacement');
  const pieces = agrees.filter((kind) => kind !== 'replacement' || unlike.length === 0);
  const otherNumber = differs.includes('civil') || differs.includes('replacement');
  if (pieces.every((kind) => ids.has(kind)) && differs.includes('local') && otherNumber) {
    return hold('reissued');
  }
  if (pieces.length > 1) return unlike.length < 2 ? link : hold('divided');
  if (hasId(pieces)) {
    if (only(unlike, 'local')) return link;
    return hold(unlike.includes('civil') ? 'changed-hands' : 'id-alone');
  }
  if (pieces.includes('civil')) return unlike.length === 0 ? link : hold('civil-alone');
  return hold('local-alone');
}

/** Local ids are given anew; two other pieces that differ say that this one was. */
function isReusedNumber({ agrees, differs }: Candidate): boolean {
  return only(agrees, 'local') && differs.includes('uni-id') && differs.includes('civil');
}

function hasId(kinds: readonly EvidenceKind[]): boolean {
  return kinds.some((kind) => ids.has(kind));
}

/** Also true of none. */
function only(kinds: readonly EvidenceKind[], kind: EvidenceKind): boolean {
  return kinds.every((one) => one === kind);
}

function hold(reason: HoldReason): Recognition {
  return { verdict: 'hold', reason };
}
