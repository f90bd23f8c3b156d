import { Registry } from 'prom-client';
import { openBellFigures } from '../metrics/bell.ts';
import { openPlanFigures } from '../metrics/plans.ts';
import { openQueueFigures } from '../metrics/queue.ts';
import { defineRawEndpoint } from './endpoint.ts';

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
    const registry = new Registry();
    registry.setDefaultLabels({ tenant: context.tenant });
    const readings = [
      openQueueFigures({ ...context, registry }),
      openBellFigures({ ...context, registry }),
      openPlanFigures({ ...context, registry }),
    ];
    return async (_request, response) => {
      await Promise.all(readings.map((read) => read()));
      const texts = [await registry.metrics(), (await context.figures?.read()) ?? ''];
      response.type(registry.contentType).send(texts.join('\n'));
    };
  },
});
