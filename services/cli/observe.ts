import { readKeys } from '../../provisioning/ledger/progress.ts';
import { openContext } from '../context.ts';
import { readEnvironment } from '../env.ts';
import { requireConnector, requireKind } from './adopt.ts';

/** `skolebus observe`: one line per thing that the server itself holds now. Returns the exit code. */
export async function runObserve(p: {
  readonly home: string;
  readonly target: string;
  readonly kind: string;
  readonly jsonl: boolean;
}): Promise<number> {
  await using context = await openContext({ home: p.home, environment: readEnvironment() });
  const connector = requireConnector({ context, target: p.target });
  const kind = requireKind({ connector, kind: p.kind });
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
