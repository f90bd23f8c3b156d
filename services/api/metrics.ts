import { Gauge, Registry } from 'prom-client';
import { readOldestDue, readProgress } from '../../provisioning/ledger/progress.ts';
import type { ApiContext } from './endpoint.ts';
import { defineRawEndpoint } from './endpoint.ts';
import { countTickets } from './status.ts';

/**
 * Behind the reader's role like everything else: Prometheus can send a bearer token or get one by
 * OAuth 2, and an exemption for loopback would open the figures to whatever a proxy lets in.
 */
export const getMetrics = defineRawEndpoint({
  method: 'get',
  path: '/metrics',
  role: 'reader',
  id: 'getMetrics',
  summary: 'Figures for Prometheus',
  type: 'text/plain',
  makeHandler: (context) => {
    const registry = openRegistry(context);
    return async (_request, response) => {
      response.type(registry.contentType).send(await registry.metrics());
    };
  },
});

function openRegistry(context: ApiContext): Registry {
  const { database, tenant } = context;
  const registry = new Registry();
  registry.setDefaultLabels({ tenant });
  const registers = [registry];
  new Gauge({
    name: 'skolebus_resources',
    help: 'Resources of the ledger by state; scheduled ones are counted in their state too.',
    labelNames: ['target', 'kind', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const row of await readProgress({ database, tenant })) {
        const { target, kind } = row;
        for (const state of ['settled', 'due', 'failed', 'scheduled'] as const) {
          this.set({ target, kind, state }, row[state]);
        }
      }
    },
  });
  new Gauge({
    name: 'skolebus_oldest_due_seconds',
    help: 'How long the oldest due resource of a target has been different from what is desired.',
    labelNames: ['target'],
    registers,
    async collect() {
      this.reset();
      for (const { target, seconds } of await readOldestDue({ database, tenant })) {
        this.set({ target }, seconds);
      }
    },
  });
  new Gauge({
    name: 'skolebus_tickets',
    help: 'Tickets waiting or under way, by lane.',
    labelNames: ['lane'],
    registers,
    async collect() {
      this.reset();
      const tickets = await countTickets(context.queues);
      for (const [lane, count] of Object.entries(tickets?.lanes ?? {})) this.set({ lane }, count);
    },
  });
  return registry;
}
