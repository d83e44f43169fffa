import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countJest } from './jest-report.ts';

const directory = mkdtempSync(join(tmpdir(), 'eshop-report-'));
afterAll(() => rmSync(directory, { recursive: true }));

function report(content: object): string {
  const file = join(directory, 'report.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const passed = (fullName: string) => ({ status: 'passed', fullName, failureMessages: [] });

describe('counting the results of jest', () => {
  it('counts what passed and what failed, and keeps the reasons', () => {
    const file = report({
      numPassedTests: 2,
      numFailedTests: 1,
      numRuntimeErrorTestSuites: 0,
      testResults: [
        {
          name: 'a.spec.ts',
          status: 'failed',
          message: '',
          assertionResults: [
            passed('a'),
            passed('b'),
            { status: 'failed', fullName: 'c d', failureMessages: ['\u001b[31mnot so\u001b[39m'] },
          ],
        },
      ],
    });
    expect(countJest(file, 1)).toEqual({ passed: 2, failed: 1, failures: [{ name: 'c d', detail: 'not so' }] });
  });

  it('counts a spec that could not be run as one failure', () => {
    const file = report({
      numPassedTests: 0,
      numFailedTests: 0,
      numRuntimeErrorTestSuites: 1,
      testResults: [{ name: 'a.spec.ts', status: 'failed', message: 'Cannot find module', assertionResults: [] }],
    });
    expect(countJest(file, 1)).toMatchObject({ passed: 0, failed: 1, failures: [{ detail: 'Cannot find module' }] });
  });

  it('counts an error without a failed test, and a missing report, as one failure', () => {
    const fine = report({ numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [] });
    expect(countJest(fine, 0)).toMatchObject({ passed: 3, failed: 0 });
    expect(countJest(fine, 1)).toMatchObject({ passed: 3, failed: 1 });
    expect(countJest(join(directory, 'none.json'), 0)).toMatchObject({ passed: 0, failed: 1 });
  });
});
