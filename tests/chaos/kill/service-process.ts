/**
 * API and worker as `skolebus serve` puts them together, for the stand-ins; its one argument is a
 * ServiceOrder. Says its address on the standard output, and takes the milliseconds of its clock from the
 * standard input.
 */
import { createInterface } from 'node:readline';
import { parsePolicy } from '../../../provisioning/policy/parse.ts';
import { openDatabase } from '../../../provisioning/store/database.ts';
import { readPolicyText } from '../../../services/config.ts';
import { connectSandbox } from '../../../services/connectors.ts';
import { readEnvironment } from '../../../services/env.ts';
import { openLog } from '../../../services/log.ts';
import { comparePolicyFile } from '../../../services/policy-file.ts';
import { serve } from '../../../services/serve.ts';
import { setClock } from './clock.ts';
import type { ServiceOrder } from './service.ts';

const order = JSON.parse(process.argv[2] ?? '') as ServiceOrder;
createInterface({ input: process.stdin })
  .on('line', (ms) => setClock(Number(ms)))
  // Whoever started us is gone.
  .on('close', () => process.exit(0));

const { tenant } = order;
const environment = readEnvironment({
  DATABASE_URL: order.databaseUrl,
  SKOLEBUS_TENANT: tenant,
  ...(order.redisUrl === null ? {} : { REDIS_URL: order.redisUrl }),
});
const database = openDatabase({ url: order.databaseUrl, max: 20 });
const written = await readPolicyText(order.home);
const context = {
  ...{ database, environment, tenant, home: order.home, sandboxed: true },
  policy: parsePolicy(written),
  policyFile: await comparePolicyFile({ database, tenant, ...written }),
  connectors: connectSandbox(order.addresses),
  log: openLog({ level: 'error' }),
  [Symbol.asyncDispose]: async () => {},
};
const service = await serve({ context, host: '127.0.0.1', port: 0 });
process.stdout.write(`${service.consoleUrl}\n`);
