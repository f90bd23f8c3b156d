import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Connector } from '../../provisioning/target/contract.ts';
import { openPaceFigures } from './pace.ts';
import { measureTargetCalls } from './target-calls.ts';
import type { TurnFigures } from './turns.ts';
import { openTurnFigures } from './turns.ts';

/** What only this process knows: its worker, its calls and itself. */
export interface ProcessFigures extends Disposable {
  readonly turns: TurnFigures;
  /** In the text format of Prometheus. */
  read(): Promise<string>;
}

export function openProcessFigures(p: {
  readonly connectors: Iterable<Connector>;
}): ProcessFigures {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const turns = openTurnFigures(registry);
  const calls = measureTargetCalls(registry);
  const readPace = openPaceFigures({ ...p, registry });
  return {
    turns,
    async read() {
      readPace();
      return registry.metrics();
    },
    [Symbol.dispose]: () => calls[Symbol.dispose](),
  };
}
