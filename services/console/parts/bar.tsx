import { formatNumber } from '../format.ts';
import { useWords } from '../words.ts';

export interface Shares {
  readonly settled: number;
  readonly due: number;
  readonly failed: number;
}

const parts = ['settled', 'due', 'failed'] as const;

/** How a number of resources divides; the figures beside it say the same in words. */
export function Bar(p: { readonly shares: Shares; readonly label: string }) {
  const words = useWords();
  const { shares } = p;
  const total = shares.settled + shares.due + shares.failed;
  const text = parts
    .filter((part) => shares[part] > 0)
    .map((part) => `${words.bars[part]}: ${formatNumber(words, shares[part])}`)
    .join(', ');
  return (
    <div class="bar" role="img" aria-label={`${p.label}. ${text}`}>
      {parts.map((part) =>
        shares[part] === 0 ? null : (
          <span
            key={part}
            class={`bar-part bar-${part}`}
            style={{ width: `${(shares[part] / total) * 100}%` }}
          />
        ),
      )}
    </div>
  );
}

/** The share of what is right, as a ring around its figure. */
export function Ring(p: {
  readonly share: number;
  readonly figure: string;
  readonly caption: string;
  readonly tone: 'good' | 'busy' | 'bad';
}) {
  const radius = 70;
  const length = 2 * Math.PI * radius;
  return (
    <div class={`ring ring-${p.tone}`}>
      <svg viewBox="0 0 160 160" aria-hidden="true">
        <circle cx="80" cy="80" r={radius} class="ring-track" />
        <circle
          cx="80"
          cy="80"
          r={radius}
          class="ring-share"
          stroke-dasharray={`${length * p.share} ${length}`}
          transform="rotate(-90 80 80)"
        />
      </svg>
      <p class="ring-text">
        <strong>{p.figure}</strong>
        <span>{p.caption}</span>
      </p>
    </div>
  );
}
