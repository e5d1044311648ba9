/**
 * Reads jest's reports for `.ci/run`.
 *
 * `repeat REPORT`: the test files that deserve a second run, a line each: those that failed, if they are few. What draws its
 * cases by chance is not among them: there a second run would ask something else, so its failure stands.
 *
 * `sum FOLDER FAILED_STEPS`: which tests failed and why, then the last line of the run. The second run of a file counts in place of
 * its first, and its name is printed.
 * A test that was skipped counts as failed: all that a test could miss was installed. So does a file that could not run at all.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const mostRepeated = 8;
const drawsCases = /from 'fast-check'/;

const print = (line) => process.stdout.write(`${line}\n`);
const resultsOf = (report) => JSON.parse(readFileSync(report, 'utf8')).testResults;
const failures = ({ status, assertionResults }) => {
  const failed = assertionResults.filter((test) => test.status !== 'passed').length;
  return status === 'passed' ? failed : Math.max(1, failed);
};

function filesToRepeat(report) {
  const failed = resultsOf(report).filter((file) => failures(file) > 0);
  if (failed.length > mostRepeated) return [];
  return failed.map((file) => file.name).filter((name) => !drawsCases.test(readFileSync(name, 'utf8')));
}

// eslint-disable-next-line no-control-regex -- colours of the terminal
const withoutColours = (text) => text.replaceAll(/\u001B\[[\d;]*m/g, '');

function printFailures(file) {
  const failed = file.assertionResults.filter((test) => test.status !== 'passed');
  const reasons = failed.map((test) => [test.fullName, test.failureMessages?.[0] ?? test.status]);
  if (failed.length === 0 && failures(file) > 0) reasons.push(['did not run', file.message ?? '']);
  for (const [name, message] of reasons)
    print(
      `FAILED: ${relative('.', file.name)}: ${name}\n${withoutColours(message).split('\n').slice(0, 12).join('\n')}`,
    );
}

function sum(folder, failedSteps) {
  const counted = new Map();
  // In this order `tests.again.json` comes before `tests.json`.
  for (const report of readdirSync(folder).sort()) {
    for (const file of resultsOf(join(folder, report))) {
      const second = counted.get(file.name);
      if (second === undefined) counted.set(file.name, file);
      else if (failures(second) === 0)
        print(`UNSTEADY: ${relative('.', file.name)} failed, and passed alone. Make it steady.`);
    }
  }
  const files = [...counted.values()];
  for (const file of files) printFailures(file);
  const failed = files.reduce((total, file) => total + failures(file), failedSteps);
  const tests = files.flatMap((file) => file.assertionResults);
  print(`${tests.filter((test) => test.status === 'passed').length} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

const [command, place, failedSteps = '0'] = process.argv.slice(2);
if (command === 'repeat') for (const file of filesToRepeat(place)) print(file);
else sum(place, Number(failedSteps));
