import { readKeys } from '../../provisioning/ledger/progress.ts';
import type { ResourceKind } from '../../provisioning/policy/resource.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { UsageError } from './usage.ts';

/** `skolebus observe`: one line per thing that the server itself holds now. Returns the exit code. */
export async function runObserve(p: {
  readonly home: string;
  readonly target: string;
  readonly kind: string;
  readonly jsonl: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const connector = context.connectors.get(p.target);
  if (connector === undefined) {
    const names = [...context.connectors.keys()].join(', ');
    throw new UsageError(`There is no target ${p.target} in this home. Choose one of: ${names}.`);
  }
  const kinds: readonly ResourceKind[] = kindOrder[connector.type];
  const kind = kinds.find((one) => one === p.kind);
  if (kind === undefined) {
    throw new UsageError(
      `A ${connector.type} has no ${p.kind}. Choose one of: ${kinds.join(', ')}.`,
    );
  }
  await connector.prepare();
  const keys = await readKeys({ ...context, target: p.target, kind });
  for await (const { externalId, key: mark, body } of connector.observe({ kind })) {
    // Where the server has no place for our mark, the ledger knows what is ours.
    const key = mark ?? keys.get(externalId) ?? null;
    if (p.jsonl) {
      process.stdout.write(
        `${JSON.stringify({ target: p.target, kind, externalId, key, ...body })}\n`,
      );
    } else {
      const name =
        body['username'] ??
        body['userId'] ??
        body['fullname'] ??
        body['name'] ??
        body['mountPoint'] ??
        body['groupId'];
      process.stdout.write(`${externalId}\t${String(name ?? '')}\n`);
    }
  }
  return 0;
}
