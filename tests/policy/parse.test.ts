import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { PolicyError, type PolicyProblem } from '../../provisioning/policy/problem.ts';
import { policyJsonSchema, usernameStrategies } from '../../provisioning/policy/schema.ts';

const defaultFile = new URL('../../provisioning/policy/default.yaml', import.meta.url);

function problemsOf(text: string): readonly PolicyProblem[] {
  try {
    parsePolicy({ text, file: 'policy.yaml' });
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
  return [];
}

function briefly(text: string): readonly string[] {
  return problemsOf(text).map((one) => `${one.line}:${one.column} ${one.code} ${one.path}`);
}

describe('the default policy', () => {
  it('is the same written out and left out', () => {
    const written = parsePolicy({ text: readFileSync(defaultFile, 'utf8'), file: 'default.yaml' });

    expect(written).toEqual(parsePolicy({ text: 'version: 1', file: 'p' }));
  });

  it('keeps the other settings of a group kind when one is changed', () => {
    const policy = parsePolicy({
      text: 'version: 1\ngroups:\n  class: { course: false }\n',
      file: 'p',
    });

    expect(policy.groups.class).toMatchObject({ keycloak: true, folder: true, course: false });
  });
});

describe('a wrong policy', () => {
  it.each([
    [
      'an unknown setting',
      'version: 1\nusername:\n  strategy: uni-id\n',
      '2:1 policy-unknown-setting username',
    ],
    [
      'an unknown nested setting',
      'version: 1\nusernames:\n  startegy: uni-id\n',
      '3:3 policy-unknown-setting usernames.startegy',
    ],
    [
      'an unknown strategy',
      'version: 1\nusernames:\n  strategy: cpr\n',
      '3:13 policy-wrong-value usernames.strategy',
    ],
    [
      'an unknown template field',
      "version: 1\nfolders:\n  name: '{klasse}'\n",
      '3:9 policy-unknown-field folders.name',
    ],
    [
      'a group field in a school name',
      "version: 1\nschools:\n  name: '{groupName}'\n",
      '3:9 policy-unknown-field schools.name',
    ],
    [
      'a lone brace',
      "version: 1\nfolders:\n  name: 'a}'\n",
      '3:9 policy-unknown-field folders.name',
    ],
    [
      'an institution number without quotes',
      'version: 1\npackages:\n  - name: a\n    when: { institutions: [012345] }\n    gives: {}\n',
      '4:28 policy-wrong-value packages.0.when.institutions.0',
    ],
    [
      'a percentage above 100',
      'version: 1\nlimits:\n  deactivate:\n    percent: 110\n',
      '4:14 policy-wrong-value limits.deactivate.percent',
    ],
    [
      'a missing name',
      'version: 1\npackages:\n  - when: {}\n    gives: {}\n',
      '3:5 policy-wrong-value packages.0.name',
    ],
    [
      'a deliverable synthetic domain',
      'version: 1\npackages:\n  - name: a\n    when: {}\n    gives: { moodle: { emailDomain: skole.dk } }\n',
      '5:37 policy-wrong-value packages.0.gives.moodle.emailDomain',
    ],
    [
      'a short name that is not unique',
      "version: 1\ncourses:\n  shortName: '{institutionNumber}'\n",
      '3:14 policy-contradiction courses.shortName',
    ],
    [
      'a prefix strategy without prefix',
      'version: 1\nusernames:\n  strategy: prefix-name-serial\n',
      '3:3 policy-contradiction usernames.prefix',
    ],
    [
      'a folder without group',
      'version: 1\ngroups:\n  class:\n    nextcloud: false\n',
      '4:5 policy-contradiction groups.class.folder',
    ],
    [
      'access of an unknown school group',
      'version: 1\nfolders:\n  access:\n    school: { bosses: read }\n',
      '4:23 policy-contradiction folders.access.school.bosses',
    ],
    [
      'teachers with less than learners',
      'version: 1\nfolders:\n  access: { learners: write, teachers: read }\n',
      '3:40 policy-contradiction folders.access.teachers',
    ],
    [
      'two packages of one name',
      'version: 1\npackages:\n  - { name: a, when: {}, gives: {} }\n  - { name: a, when: {}, gives: {} }\n',
      '4:13 policy-contradiction packages.1.name',
    ],
    ['an unknown version', 'version: 2\n', '1:10 policy-wrong-value version'],
    ['no version', 'language: da\n', '1:1 policy-wrong-value version'],
    ['an empty file', '', '1:1 policy-wrong-value version'],
    ['a list', '- 1\n', '1:1 policy-wrong-value '],
    ['a setting twice', 'version: 1\nlanguage: da\nlanguage: en\n', '3:1 policy-syntax '],
    ['a tab', 'version: 1\nemail:\n\trealFor: []\n', '3:1 policy-syntax '],
    ['an alias to nowhere', 'version: 1\nlanguage: *da\n', '1:1 policy-syntax '],
  ])('with %s names its place', (_, text, expected) => {
    expect(briefly(text)).toContain(expected);
  });

  it('reports all problems at once, in the order of their lines', () => {
    const problems = problemsOf(
      'version: 1\nlanguage: 7\nusernames:\n  letters: 40\nemial: {}\nlifecycle:\n  graceDays: { pupil: soon }\n',
    );

    expect(problems.map((one) => one.line)).toEqual([2, 4, 5, 7]);
    for (const one of problems) expect(one.remedy).toMatch(/\.$/);
  });

  it('puts file, place, fault and remedy into the message', () => {
    expect(() => parsePolicy({ text: 'version: 1\nlanguge: da\n', file: 'kommune.yaml' })).toThrow(
      'kommune.yaml:2:1: languge: there is no such setting here. Remove it, or correct its spelling',
    );
  });

  it('is not kept waiting by aliases of aliases', () => {
    const levels = Array.from(
      { length: 12 },
      (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(10)}]`,
    );

    expect(briefly(`a0: &a0 [1]\n${levels.join('\n')}\n`)).toEqual(['1:1 policy-syntax ']);
  });
});

describe('the JSON schema', () => {
  it('describes the file as people write it', () => {
    const schema = policyJsonSchema() as { properties: Record<string, unknown>; required: unknown };

    expect(schema.required).toEqual(['version']);
    expect(Object.keys(schema.properties)).toEqual(
      Object.keys(parsePolicy({ text: 'version: 1', file: 'p' })),
    );
  });
});

describe('docs/policy.md', () => {
  const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

  it('has examples that work', () => {
    expect(examples.map((text) => problemsOf(text))).toEqual([[], [], [], []]);
  });

  it('names every setting', () => {
    for (const setting of Object.keys(parsePolicy({ text: 'version: 1', file: 'p' }))) {
      expect(page).toContain(setting);
    }
    for (const strategy of usernameStrategies) expect(page).toContain(`\`${strategy}\``);
  });
});
