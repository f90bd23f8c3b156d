import { parsePolicy } from '../provisioning/policy/parse.ts';
import { PolicyError } from '../provisioning/policy/problem.ts';
import type { Policy } from '../provisioning/policy/schema.ts';
import type { NewPolicyVersion, PolicyInForce } from '../provisioning/policy/version.ts';
import { isSamePolicy, readPolicyInForce, rewordPolicy } from '../provisioning/policy/version.ts';
import type { Database } from '../provisioning/store/database.ts';

/** What the home's policy is to the one in force. */
export type PolicyFile = {
  readonly text: string;
  /** Its path, or `default.yaml` where the home has none. */
  readonly file: string;
} & (
  | { readonly state: 'first'; readonly policy: Policy }
  | {
      readonly state: 'same' | 'reworded' | 'differs';
      readonly policy: Policy;
      readonly inForce: PolicyInForce;
    }
  | { readonly state: 'invalid'; readonly error: PolicyError; readonly inForce: PolicyInForce }
);

/**
 * Compares what is written with what is in force, by their meaning. A file that cannot be read does not
 * stop a home whose policy stands in the store.
 *
 * @throws PolicyError where none is in force yet
 */
export async function comparePolicyFile(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly text: string;
  readonly file: string;
}): Promise<PolicyFile> {
  const { text, file } = p;
  const inForce = await readPolicyInForce(p);
  if (inForce === null) return { text, file, state: 'first', policy: parsePolicy(p) };
  let policy: Policy;
  try {
    policy = parsePolicy(p);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { text, file, state: 'invalid', error, inForce };
  }
  if (!isSamePolicy(policy, inForce.policy)) {
    return { text, file, state: 'differs', policy, inForce };
  }
  const state = text === inForce.text ? 'same' : 'reworded';
  return { text, file, state, policy, inForce };
}

export function policyInForce(found: PolicyFile): Policy {
  return found.state === 'first' ? found.policy : found.inForce.policy;
}

/** What a sync says of its policy. */
export interface PolicyReport {
  /** Null before the first commit. */
  readonly version: number | null;
  readonly state: PolicyFile['state'];
  /** What of the file is not in force, and the remedy. */
  readonly warning: string | null;
}

/**
 * What a sync has to do about the home's policy: the first one comes into force with its first commit,
 * another wording is taken in at once, and a difference is only told.
 */
export async function settlePolicy(p: {
  readonly context: {
    readonly database: Database;
    readonly tenant: string;
    readonly home: string;
    readonly policyFile: PolicyFile;
  };
  readonly by: string;
}): Promise<{ readonly candidate: NewPolicyVersion | null; readonly report: PolicyReport }> {
  const { policyFile: found, home } = p.context;
  const { text, state } = found;
  if (state === 'first') {
    const candidate = { text, policy: found.policy, by: p.by };
    return { candidate, report: { version: null, state, warning: null } };
  }
  const { version } = found.inForce;
  if (state === 'reworded') {
    await rewordPolicy({ ...p.context, found: { text, policy: found.policy, by: p.by } });
    return { candidate: null, report: { version: version + 1, state, warning: null } };
  }
  return { candidate: null, report: { version, state, warning: warnOf({ found, version, home }) } };
}

function warnOf(p: {
  readonly found: PolicyFile;
  readonly version: number;
  readonly home: string;
}): string | null {
  const { found, version, home } = p;
  const name = nameOf(found.file);
  if (found.state === 'differs') {
    return `${name} differs from version ${version} of the policy, which is in force, and nothing of the difference takes effect. To see what it would change: skolebus policy plan --home ${home}`;
  }
  if (found.state === 'invalid') {
    return `${name} cannot be read, and version ${version} of the policy stays in force.\n${found.error.message}`;
  }
  return null;
}

function nameOf(file: string): string {
  return file === 'default.yaml' ? 'The default policy of this version of Skolebus' : file;
}
