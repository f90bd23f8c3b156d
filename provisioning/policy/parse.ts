import { type Document, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { locatePath, PolicyError, type PolicyProblem } from './problem.ts';
import { type Policy, PolicyFile, templateIssue } from './schema.ts';

/**
 * Reads a policy from YAML text; `file` is only for messages. Throws PolicyError with every problem
 * found, each with line, column and remedy. The caller reads the file.
 */
export function parsePolicy(p: { readonly text: string; readonly file: string }): Policy {
  const lines = new LineCounter();
  const document = parseDocument(p.text, { lineCounter: lines });
  const broken = document.errors.map((error): PolicyProblem => {
    const place = lines.linePos(error.pos[0]);
    return {
      code: 'policy-syntax',
      line: place.line,
      column: place.col,
      path: '',
      message: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''),
      remedy: 'Correct the YAML: mind the indentation (spaces, no tabs), colons and quotes.',
    };
  });
  refuse({ file: p.file, problems: broken });

  const result = PolicyFile.safeParse(readValue({ document, file: p.file }));
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => toProblems({ issue, document, lines }));
  refuse({ file: p.file, problems });
  throw new TypeError('unreachable: zod reported a failure without an issue');
}

function readValue(p: { readonly document: Document; readonly file: string }): unknown {
  try {
    return p.document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch {
    const problem: PolicyProblem = {
      code: 'policy-syntax',
      line: 1,
      column: 1,
      path: '',
      message: 'an alias (*name) points nowhere, or there are too many of them',
      remedy: 'Write the values out instead of using aliases.',
    };
    throw new PolicyError({ file: p.file, problems: [problem] });
  }
}

function refuse(p: { readonly file: string; readonly problems: readonly PolicyProblem[] }): void {
  const [first, ...rest] = p.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  if (first !== undefined) throw new PolicyError({ file: p.file, problems: [first, ...rest] });
}

function toProblems(p: {
  readonly issue: z.core.$ZodIssue;
  readonly document: Document;
  readonly lines: LineCounter;
}): readonly PolicyProblem[] {
  const { issue, document, lines } = p;
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: 'policy-unknown-setting',
      ...locatePath({ document, lines, path, key }),
      path: [...path, key].join('.'),
      message: 'there is no such setting here',
      remedy: 'Remove it, or correct its spelling (docs/policy.md lists all settings).',
    }));
  }
  const place = locatePath({ document, lines, path, key: null });
  const shared = { ...place, path: path.join('.') };
  if (issue.code === 'custom' && issue.params?.['template'] === templateIssue.template) {
    return [
      {
        ...shared,
        code: 'policy-unknown-field',
        message: issue.message,
        remedy: 'Use one of the listed fields, spelled exactly so.',
      },
    ];
  }
  if (issue.code === 'custom') {
    return [
      {
        ...shared,
        code: 'policy-contradiction',
        message: issue.message,
        remedy: 'Change one of the two settings.',
      },
    ];
  }
  return [
    {
      ...shared,
      code: 'policy-wrong-value',
      message: lowerFirst(issue.message),
      remedy: remedyFor(issue),
    },
  ];
}

function remedyFor(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `Write ${issue.values.map(String).join(', ')}${issue.values.length > 1 ? ' (one of these)' : ''}.`;
    case 'invalid_type':
      return `Write a value of the type ${issue.expected}.`;
    case 'too_small':
      return `Use ${issue.minimum} or more.`;
    case 'too_big':
      return `Use ${issue.maximum} or less.`;
    case 'invalid_union':
      return 'Write text in quotes, or a whole number.';
    default:
      return 'Correct the value (docs/policy.md says what each setting takes).';
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
