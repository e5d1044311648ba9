import { readFileSync } from 'node:fs';
import { readBlocks } from '@billing/testing';
import type { Check, System } from './check.ts';
import { partsWithoutCheck } from './clients.ts';
import { runCheck, summarize } from './run-checks.ts';
import type { Outcome } from './run-checks.ts';

const page = new URL('../../../docs/clients.md', import.meta.url).pathname;

// The checks themselves need the registries of npm, PyPI and Go: `npm run check:tools`.

test('every part of docs/clients.md that shows code is run by a check', () => {
  expect(partsWithoutCheck()).toEqual([]);
});

test('docs/clients.md names an exact version of everything that it installs', () => {
  const shell = readBlocks(page)
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text.replaceAll('\\\n', ''))
    .join('\n');
  const installs = shell
    .split('\n')
    .filter((line) => /^(npm install|pip install|go get|go run)\b/.test(line))
    .flatMap((line) => line.split(/\s+/).filter((word) => /^@?[a-z][\w./@=-]*$/i.test(word)))
    .filter((word) => !['npm', 'pip', 'go', 'install', 'get', 'run'].includes(word));
  const packages = installs.filter((word) => /[@=]/.test(word.slice(1)));
  expect(packages.length).toBeGreaterThanOrEqual(6);
  // The types of Node follow its major version.
  const exact = /(?:@v?|==)\d+\.\d+\.\d+$|^@types\/node@\d+$/;
  expect(packages.filter((name) => !exact.test(name))).toEqual([]);
  expect(shell).not.toMatch(/@latest|pip install[^\n]* [a-z-]+$/m);
});

test('the workflow runs all checks, with every program that they need', () => {
  const workflow = readFileSync(new URL('../../../.github/workflows/ci.yml', import.meta.url), 'utf8');
  for (const needed of ['actions/setup-go@', 'actions/setup-python@', 'prometheus', 'npm run check:tools'])
    expect(workflow).toContain(needed);
});

describe('a check', () => {
  const system: System = {
    stack: {
      api_url: '',
      console_url: '',
      worker_url: '',
      stripe_url: '',
      project_id: '',
      api_key: '',
      admin_api_key: '',
      prices: { subscription: '', payment: '' },
      pids: { api: 0, worker: 0, stripe: 0, postgres: 0, redis: 0 },
    },
    checkout: {
      folder: '',
      start: () => Promise.reject(new Error('not in this test')),
      hasStackFile: () => false,
      stack: () => system.stack,
      stopAll: () => Promise.resolve(),
      remove: () => undefined,
    },
  };
  const check = (run: Check['run'], needs: Check['needs'] = []): Check => ({
    name: 'a tool',
    source: 'npm',
    needs,
    run,
  });

  test('that throws has failed, with what the tool said', async () => {
    const failing = check(() => Promise.reject(new Error('line 3: no')));
    expect(await runCheck(failing, system)).toMatchObject({ outcome: 'failed', text: 'line 3: no' });
  });

  test('whose program is missing is skipped, and says what to install', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      const needing = check(() => Promise.reject(new Error('must not run')), ['promtool']);
      expect(await runCheck(needing, system)).toEqual({
        name: 'a tool',
        outcome: 'skipped',
        text: 'promtool is not installed (Debian: prometheus)',
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

const passed: Outcome = { name: 'a', outcome: 'passed', text: '', ms: 1 };
const failed: Outcome = { name: 'b', outcome: 'failed', text: '', ms: 1 };
const skipped: Outcome = { name: 'c', outcome: 'skipped', text: '' };

test.each([
  { outcomes: [passed], mayNotSkip: true, line: '1 passed, 0 failed, 0 skipped', exitCode: 0 },
  { outcomes: [passed, skipped], mayNotSkip: false, line: '1 passed, 0 failed, 1 skipped', exitCode: 0 },
  { outcomes: [passed, skipped], mayNotSkip: true, line: '1 passed, 0 failed, 1 skipped', exitCode: 1 },
  { outcomes: [passed, failed], mayNotSkip: false, line: '1 passed, 1 failed, 0 skipped', exitCode: 1 },
  { outcomes: [skipped], mayNotSkip: false, line: '0 passed, 0 failed, 1 skipped', exitCode: 1 },
  { outcomes: [], mayNotSkip: false, line: '0 passed, 0 failed, 0 skipped', exitCode: 1 },
])(
  '$line (skipping is a failure: $mayNotSkip): exit code $exitCode',
  ({ outcomes, mayNotSkip, ...result }) => {
    expect(summarize(outcomes, { mayNotSkip })).toEqual(result);
  },
);
