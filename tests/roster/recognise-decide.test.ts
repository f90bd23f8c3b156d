import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate, EvidenceKind } from '../../provisioning/roster/recognise-decide.ts';
import { recognise } from '../../provisioning/roster/recognise-decide.ts';

/** `uni-id local / civil`: what agrees, and what differs. */
function candidate(text: string): Candidate {
  const [agrees = '', differs = ''] = text.split('/');
  const kinds = (list: string) => list.split(' ').filter((kind) => kind !== '') as EvidenceKind[];
  return { agrees: kinds(agrees), differs: kinds(differs) };
}

function outcome(...candidates: readonly string[]): string {
  const result = recognise({ shared: [], candidates: candidates.map(candidate) });
  if (result.verdict === 'hold') return result.reason;
  return result.verdict === 'link' ? `link ${result.candidate}` : 'new';
}

describe('who a record is', () => {
  it.each([
    [[], 'new'],
    [['uni-id'], 'link 0'],
    [['source'], 'link 0'],
    [['other'], 'link 0'],
    [['civil'], 'link 0'],
    [['local'], 'local-alone'],
    // Two pieces agree.
    [['uni-id local / civil'], 'link 0'],
    [['civil local / uni-id'], 'link 0'],
    [['civil uni-id / local'], 'link 0'],
    [['source local / uni-id'], 'link 0'],
    [['source local / civil uni-id'], 'divided'],
    // One piece, and something against it.
    [['uni-id / local'], 'link 0'],
    [['uni-id / replacement'], 'link 0'],
    [['uni-id / civil'], 'changed-hands'],
    [['uni-id / civil local'], 'reissued'],
    [['uni-id / local replacement'], 'reissued'],
    [['source uni-id / civil local'], 'reissued'],
    [['source / uni-id'], 'id-alone'],
    [['civil / uni-id'], 'civil-alone'],
    [['civil / local'], 'civil-alone'],
    [['local / uni-id'], 'local-alone'],
    [['local / civil uni-id'], 'new'],
    // A replacement number is a piece only where nothing differs.
    [['local replacement'], 'link 0'],
    [['local replacement / uni-id'], 'local-alone'],
    // Several people.
    [['uni-id', 'civil'], 'points-to-several'],
    [['civil uni-id', 'local'], 'link 0'],
    [['local / uni-id', 'civil uni-id / local'], 'link 1'],
    [['civil uni-id', 'local uni-id'], 'points-to-several'],
    [['local uni-id', 'civil'], 'points-to-several'],
    [['uni-id', 'local / uni-id'], 'points-to-several'],
    [['uni-id', 'local / civil uni-id'], 'link 0'],
  ] as const)('%j is %s', (candidates, expected) => {
    expect(outcome(...candidates)).toBe(expected);
  });

  it('is nobody when one id carries two people’s pieces, whatever agrees', () => {
    const candidates = [candidate('uni-id civil local')];
    expect(recognise({ shared: ['civil'], candidates })).toEqual({
      verdict: 'hold',
      reason: 'shared',
    });
  });

  it('is never one against whom two numbers speak, nor one of several with the same claim', () => {
    const kinds = fc.subarray<EvidenceKind>(['uni-id', 'local', 'civil', 'source', 'replacement']);
    const any = fc.tuple(kinds, kinds).map(([agrees, differs]) => ({
      agrees,
      differs: differs.filter((kind) => !agrees.includes(kind)),
    }));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 3 }), (candidates) => {
        const result = recognise({ shared: [], candidates });
        if (result.verdict !== 'link') return;
        const linked = candidates[result.candidate];
        const against = linked?.differs.filter((kind) => kind !== 'replacement') ?? [];
        expect(against.length).toBeLessThan(2);
        const rivals = candidates.filter(
          (one) => one !== linked && !one.agrees.every((kind) => kind === 'local'),
        );
        expect(rivals).toEqual([]);
      }),
    );
  });
});
