import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { runServices } from '../run-services.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Builds all, once in a jest run: what else needs it waits, and does not build the same at the same time. */
export async function buildApps(): Promise<void> {
  const client = new Client({ connectionString: runServices().postgresUrl });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(1)');
    const { rows } = await client.query(`SELECT to_regclass('public.built') IS NOT NULL AS built`);
    if (rows[0].built === true) return;
    await promisify(execFile)('npm', ['run', 'build'], { cwd: root });
    await client.query('CREATE TABLE public.built ()');
  } finally {
    await client.end();
  }
}
