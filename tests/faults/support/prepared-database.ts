import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@billing/platform';
import { ensureDatabase, oddSettings, startPostgres } from '@billing/testing';

/** jest's global setup passes the folder to the test files, which run in other processes, by environment. */
const variable = 'FAULTS_PREPARED_DATABASE';

/** Makes a data folder with the migrated database `billing`, once for all stacks of a run. Returns what removes it. */
export async function prepareDatabase(): Promise<() => void> {
  const dir = mkdtempSync(join(tmpdir(), 'billing-faults-prepared-'));
  const server = await startPostgres({ dir, isVolatile: true, settings: oddSettings });
  await migrate({ databaseUrl: await ensureDatabase(server, 'billing') });
  await server.stop();
  process.env[variable] = dir;
  return () => rmSync(dir, { recursive: true, force: true });
}

/** Copies it to `dir`, where a server can be started. */
export function copyPreparedDatabase(dir: string): void {
  const prepared = process.env[variable];
  if (prepared === undefined) throw new Error(`${variable} is not set: run npm run test:faults.`);
  mkdirSync(dir, { recursive: true });
  // With owners and rights: Postgres wants its own.
  const { status, stderr } = spawnSync('cp', ['-a', join(prepared, 'data'), dir], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The prepared database could not be copied: ${stderr}`);
}
