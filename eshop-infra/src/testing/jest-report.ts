import { readFileSync } from 'node:fs';

/** The part of jest's `--json` that counts. */
interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

export interface Failure {
  /** What failed: the test's full name, or the check. */
  name: string;
  /** The reason, some lines. */
  detail: string;
}

export interface Counted {
  passed: number;
  failed: number;
  failures: Failure[];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it removes the colours of a terminal
const colours = /\x1b\[[0-9;]*m/g;

function shorten(text: string): string {
  return text
    .replace(colours, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 14)
    .join('\n');
}

/**
 * Counts the tests in a report of jest. A spec that could not be run at all counts as one that failed; a missing or broken
 * report and a run that ended with an error without a failed test do so, too.
 */
export function countJest(reportFile: string, exitCode: number): Counted {
  let report: JestReport;
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8')) as JestReport;
  } catch {
    return { passed: 0, failed: 1, failures: [{ name: 'jest', detail: `it wrote no report (exit ${exitCode})` }] };
  }
  const failures: Failure[] = [];
  for (const suite of report.testResults) {
    const failed = suite.assertionResults.filter((one) => one.status === 'failed');
    for (const one of failed) failures.push({ name: one.fullName, detail: shorten(one.failureMessages.join('\n')) });
    if (suite.status === 'failed' && failed.length === 0) {
      failures.push({ name: suite.name, detail: shorten(suite.message) });
    }
  }
  if (exitCode !== 0 && failures.length === 0) {
    failures.push({ name: 'jest', detail: `it ended with exit ${exitCode}, though no test failed` });
  }
  return { passed: report.numPassedTests, failed: failures.length, failures };
}
