import { readFile } from 'node:fs/promises';
import type { Explanation } from '../../provisioning/explain/explain.ts';
import { explain } from '../../provisioning/explain/explain.ts';
import { findPeople } from '../../provisioning/explain/find.ts';
import type { FindingCode } from '../../provisioning/explain/findings.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { Database } from '../../provisioning/store/database.ts';

const defaultPolicy = new URL('../../provisioning/policy/default.yaml', import.meta.url);

const standard = new Map([
  ['keycloak', 'keycloak'],
  ['nextcloud', 'nextcloud'],
  ['moodle', 'moodle'],
] as const);

interface Place {
  readonly database: Database;
  readonly tenant: string;
}

/** Finds the one person whom the text names, and explains that one. */
export async function ask(
  place: Place,
  text: string,
  p: { readonly now?: Date; readonly policy?: string } = {},
): Promise<Explanation> {
  const policy = p.policy ?? (await readFile(defaultPolicy, 'utf8'));
  const [match, ...others] = await findPeople({ ...place, text, limit: 5 });
  if (match === undefined || others.length > 0) {
    throw new Error(`${text} names ${others.length + 1} people, or nobody.`);
  }
  const explanation = await explain({
    ...place,
    policy: parsePolicy({ text: policy, file: 'policy.yaml' }),
    targets: standard,
    person: match.id,
    now: p.now ?? new Date(),
  });
  if (explanation === null) throw new Error('nobody');
  return explanation;
}

export function codes(explanation: Explanation): readonly string[] {
  return explanation.findings.map(({ code, target }) =>
    target === null ? code : `${code} ${target}`,
  );
}

export function sentence(p: {
  readonly explanation: Explanation;
  readonly code: FindingCode;
  readonly target?: string;
}): string {
  const found = p.explanation.findings.find(
    ({ code, target }) => code === p.code && (p.target === undefined || target === p.target),
  );
  return found?.sentence.en ?? `no finding ${p.code}`;
}
