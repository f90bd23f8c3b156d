import type { Registry } from 'prom-client';
import { Gauge } from 'prom-client';

/** Makes gauges of one registry; one without labels begins at 0. */
export function gaugesOf(
  registry: Registry,
): (name: string, help: string, labelNames?: readonly string[]) => Gauge {
  return (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
}
