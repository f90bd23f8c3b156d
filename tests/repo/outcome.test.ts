import { describe, expect, it } from 'vitest';
import { countOutcome } from '../support/run.ts';

const test = (fullName: string, status: string) => ({ fullName, status });
const good = {
  numPassedTests: 2,
  numFailedTests: 0,
  testResults: [
    {
      name: 'a',
      status: 'passed',
      assertionResults: [test('one', 'passed'), test('two', 'passed')],
    },
  ],
};
const allWell = { results: good, testsSucceeded: true, checkSucceeded: true };

describe('the closing line', () => {
  it('counts what passed', () => {
    expect(countOutcome(allWell)).toEqual({ passed: 2, failed: 0, leftOut: [] });
  });

  it('names what was left out', () => {
    const testResults = [
      { name: 'a', status: 'passed', assertionResults: [test('on Redis', 'skipped')] },
    ];
    const results = { ...good, testResults };

    expect(countOutcome({ ...allWell, results }).leftOut).toEqual(['on Redis']);
  });

  it.each([
    ['a failed check', { ...allWell, checkSucceeded: false }],
    ['an error outside of any test', { ...allWell, testsSucceeded: false }],
    ['no results at all', { ...allWell, results: null, testsSucceeded: false }],
    [
      'a file that does not load',
      {
        results: { ...good, testResults: [{ name: 'b', status: 'failed', assertionResults: [] }] },
        testsSucceeded: false,
        checkSucceeded: true,
      },
    ],
    [
      'a failed test',
      {
        results: {
          numPassedTests: 1,
          numFailedTests: 1,
          testResults: [{ name: 'b', status: 'failed', assertionResults: [test('one', 'failed')] }],
        },
        testsSucceeded: false,
        checkSucceeded: true,
      },
    ],
  ])('counts %s as one failure', (_name, outcome) => {
    expect(countOutcome(outcome).failed).toBe(1);
  });
});
