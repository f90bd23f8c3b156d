import type { Snapshot } from '../../api/snapshots.ts';
import { formatNumber } from '../format.ts';
import { useWords } from '../words.ts';
import { Facts } from './facts.tsx';

export function SnapshotFacts(p: { readonly snapshot: Snapshot }) {
  const words = useWords();
  const { counts } = p.snapshot;
  if (counts === null) return null;
  const { affiliations, ...plain } = counts;
  const shown = { ...plain, ...affiliations };
  const names = [
    'institutions',
    'people',
    'pupil',
    'staff',
    'groups',
    'changed',
    'gone',
    'rejected',
  ] as const;
  return (
    <Facts
      items={names.map((name) => ({
        name: words.counts[name],
        value: formatNumber(words, shown[name]),
      }))}
    />
  );
}
