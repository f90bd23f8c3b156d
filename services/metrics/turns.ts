import type { Registry } from 'prom-client';
import { Counter, Histogram } from 'prom-client';
import type { Lane } from '../../provisioning/policy/lane.ts';
import type { TurnReport } from '../worker/drain.ts';

export interface TurnFigures {
  count(p: {
    readonly tenant: string;
    readonly target: string;
    readonly lane: Lane;
    readonly turn: TurnReport;
  }): void;
}

/** What this process's worker has done since it began. */
export function openTurnFigures(registry: Registry): TurnFigures {
  const registers = [registry];
  const labelNames = ['tenant', 'target', 'lane'] as const;
  const rows = new Counter({
    name: 'skolebus_rows_total',
    help: 'Rows worked on by what came of them: applied, or the code of why not (see the causes in status).',
    labelNames: [...labelNames, 'outcome'],
    registers,
  });
  const overtaken = new Counter({
    name: 'skolebus_overtaken_rows_total',
    help: 'Rows whose lease had gone to another worker before they were settled: done once more.',
    labelNames,
    registers,
  });
  const turns = new Histogram({
    name: 'skolebus_turn_seconds',
    help: 'How long one ticket kept its target.',
    labelNames,
    buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
    registers,
  });
  return {
    count({ turn, ...place }) {
      // A series that begins with its first row looks to Prometheus as if nothing had been added.
      for (const outcome of ['applied', 'poison-row']) rows.inc({ ...place, outcome }, 0);
      for (const [outcome, count] of Object.entries(turn.codes)) {
        rows.inc({ ...place, outcome }, count);
      }
      overtaken.inc(place, turn.overtaken);
      turns.observe(place, turn.ms / 1000);
    },
  };
}
