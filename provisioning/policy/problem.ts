import { type Document, isMap, isPair, isScalar, type LineCounter, type Node } from 'yaml';

/** One thing wrong in a policy file, with its place and what to do about it. */
export interface PolicyProblem {
  readonly code: PolicyProblemCode;
  /** 1-based; of the value, of the key where the key itself is wrong, or of the nearest parent of what is missing. */
  readonly line: number;
  readonly column: number;
  /** `packages.0.gives`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

type PolicyProblemCode =
  | 'policy-syntax'
  | 'policy-unknown-setting'
  | 'policy-wrong-value'
  | 'policy-unknown-field'
  | 'policy-contradiction';

/** The policy file cannot be used. All problems are reported at once, in the order of their lines. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly code: PolicyProblemCode;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly remedy: string;
  readonly problems: readonly PolicyProblem[];

  constructor(p: {
    readonly file: string;
    readonly problems: readonly [PolicyProblem, ...PolicyProblem[]];
  }) {
    super(
      p.problems
        .map(
          (one) =>
            `${p.file}:${one.line}:${one.column}: ${at(one.path)}${one.message}. ${one.remedy}`,
        )
        .join('\n'),
    );
    const [first] = p.problems;
    this.code = first.code;
    this.file = p.file;
    this.line = first.line;
    this.column = first.column;
    this.remedy = first.remedy;
    this.problems = p.problems;
  }
}

function at(path: string): string {
  return path === '' ? '' : `${path}: `;
}

/** Line and column of a path: of its key when `key` is given, of its value, or of the nearest parent. */
export function locatePath(p: {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly path: readonly (string | number)[];
  readonly key: string | null;
}): { readonly line: number; readonly column: number } {
  for (let length = p.path.length; length >= 0; length--) {
    const node = p.document.getIn(p.path.slice(0, length), true) as Node | undefined;
    if (node === undefined || node === null) continue;
    const keyNode = p.key !== null && length === p.path.length ? findKey(node, p.key) : null;
    const range = (keyNode ?? node).range;
    if (range == null) continue;
    const { line, col } = p.lines.linePos(range[0]);
    return { line, column: col };
  }
  return { line: 1, column: 1 };
}

function findKey(node: Node, key: string): Node | null {
  if (!isMap(node)) return null;
  for (const pair of node.items) {
    if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === key) return pair.key;
  }
  return null;
}
