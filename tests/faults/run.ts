import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/**
 * Runs the fault suite (`tests/faults`), or with `--topologies` that of `tests/topologies`, against the processes of the
 * build. `--quick` shortens outages and loads; everything else is passed on to jest. Prints the seed of the random walk
 * and, at the end, how long each recovery took.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const given = process.argv.slice(2);
const suite = given.includes('--topologies') ? 'topologies' : 'faults';
const args = given.filter((arg) => arg !== '--topologies');
const seed = process.env['FAULTS_SEED'] ?? String(Date.now() % 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'billing-faults-run-'));
const recoveries = join(folder, 'recoveries.jsonl');

const recovery = z.object({ fault: z.string(), recovered: z.string(), ms: z.number() });

function printRecoveries(): void {
  if (!existsSync(recoveries)) return;
  process.stderr.write('\nfault | recovered by | measured\n');
  for (const line of readFileSync(recoveries, 'utf8').trimEnd().split('\n')) {
    const { fault, recovered, ms } = recovery.parse(JSON.parse(line));
    process.stderr.write(`${fault} | ${recovered} | ${(ms / 1000).toFixed(1)} s\n`);
  }
}

process.stderr.write(`FAULTS_SEED=${seed}\n`);
const jest = spawn(
  process.execPath,
  [
    '--no-warnings',
    join(root, 'node_modules/jest/bin/jest.js'),
    '--config',
    join(root, `tests/${suite}/jest.config.js`),
    ...args.filter((arg) => arg !== '--quick'),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      FAULTS_QUICK: args.includes('--quick') ? '1' : '0',
      FAULTS_SEED: seed,
      FAULTS_RECOVERIES: recoveries,
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void jest.kill(signal));
jest.once('exit', (code) => {
  printRecoveries();
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`FAULTS_SEED=${seed}\n`);
  process.exit(code ?? 1);
});
