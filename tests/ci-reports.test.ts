import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../.ci/reports.mjs', import.meta.url));
const plain = fileURLToPath(import.meta.url);
const drawn = fileURLToPath(new URL('life-histories/through-the-queue.test.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'billing-reports-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const file = (name: string, ...statuses: string[]) => ({
  name,
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status, index) => ({
    status,
    fullName: `test ${index}`,
    ...(status === 'failed' && { failureMessages: ['\u001B[31mexpected 1\u001B[39m\ngot 2'] }),
  })),
});
const notRun = (name: string) => ({
  name,
  status: 'failed',
  message: 'no such module',
  assertionResults: [],
});

function report(name: string, ...testResults: object[]): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ testResults }));
  return path;
}

const repeated = (path: string) =>
  execFileSync(process.execPath, [script, 'repeat', path], { encoding: 'utf8' }).split('\n').filter(Boolean);

function sum(failedSteps = 0) {
  const run = spawnSync(process.execPath, [script, 'sum', folder, String(failedSteps)], { encoding: 'utf8' });
  return { lines: run.stdout.trimEnd().split('\n'), code: run.status };
}

test('a few files that failed run again; what draws its cases by chance does not, nor do many', () => {
  const few = report(
    'unit.json',
    file(plain, 'passed', 'failed'),
    file(drawn, 'failed'),
    file('a', 'passed'),
  );
  expect(repeated(few)).toEqual([plain]);
  const many = Array.from({ length: 9 }, () => file(plain, 'failed'));
  expect(repeated(report('many.json', ...many))).toEqual([]);
});

test.each([
  ['all pass', [file('a', 'passed', 'passed')], 0, ['2 passed, 0 failed']],
  [
    'a test failed',
    [file('a', 'passed', 'failed')],
    0,
    ['FAILED: a: test 1', 'expected 1', 'got 2', '1 passed, 1 failed'],
  ],
  [
    'a test was skipped',
    [file('a', 'passed', 'pending')],
    0,
    ['FAILED: a: test 1', 'pending', '1 passed, 1 failed'],
  ],
  [
    'a file did not run',
    [notRun('a')],
    0,
    ['FAILED: a: did not run', 'no such module', '0 passed, 1 failed'],
  ],
  ['a step failed', [file('a', 'passed')], 2, ['1 passed, 2 failed']],
])('%s', (_, files, failedSteps, lines) => {
  report('unit.json', ...files);
  expect(sum(failedSteps)).toEqual({ lines, code: lines.at(-1)?.endsWith(' 0 failed') === true ? 0 : 1 });
});

test('the second run of a file counts, and says which file is not steady', () => {
  report('unit.json', file('a', 'passed', 'failed'), file('b', 'failed'), file('c', 'passed'));
  report('unit.again.json', file('a', 'passed', 'passed'), file('b', 'failed'));
  expect(sum()).toEqual({
    lines: [
      expect.stringMatching(/^UNSTEADY: .*a failed, and passed alone/),
      'FAILED: b: test 0',
      'expected 1',
      'got 2',
      '3 passed, 1 failed',
    ],
    code: 1,
  });
});
