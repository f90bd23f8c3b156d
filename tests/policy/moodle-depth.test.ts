import { expect, test } from 'vitest';
import { desireGroup, desirePerson } from '../../provisioning/policy/desire.ts';
import { group, institutions, person, policyOf } from './slices.ts';

const packages = (profileFields: Record<string, string>) => [
  {
    name: 'pupils',
    when: { kinds: ['pupil'] },
    gives: { moodle: { profileFields } },
  },
];

test('profile fields are filled from the person, and absent where policy names none', () => {
  const fields = { unilogin: 'uniId', trin: 'grade', skole: 'institutionNumber', art: 'kind' };
  const policy = policyOf({ packages: packages(fields) });
  const [account] = desirePerson({ policy, person: person(), institutions });
  expect(account?.body).toMatchObject({
    profileFields: { art: 'pupil', skole: '280001', trin: '7', unilogin: '1000013b36' },
  });
  const without = person({ uniId: null });
  const [other] = desirePerson({ policy, person: without, institutions });
  expect(JSON.stringify(other?.body)).not.toContain('unilogin');
  const plain = policyOf({ packages: packages({}) });
  const [third] = desirePerson({ policy: plain, person: person(), institutions });
  expect(Object.keys(third?.body ?? {})).not.toContain('profileFields');
});

test('a course names its template only where policy has one', () => {
  const bodyOf = (template: string | null) =>
    desireGroup({
      policy: policyOf({ courses: { template } }),
      group: group(),
      institutions,
      schoolYear: '2026-2027',
    }).find((one) => one.kind === 'course')?.body;
  expect(bodyOf('skabelon')).toMatchObject({ template: 'skabelon' });
  expect(Object.keys(bodyOf(null) ?? {})).not.toContain('template');
});
