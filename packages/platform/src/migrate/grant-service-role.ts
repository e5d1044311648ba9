import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { MigrationError } from './migration-error.ts';
import { repositoryGrantsPath } from './read-migrations.ts';

/**
 * Grants the role of `serviceUrl` what the processes need, and nothing more: `prisma/service-role.sql`. `client` is connected as
 * the owner of the tables. Returns the role; null: it is the owner itself. Throws MigrationError.
 */
export async function grantServiceRole(client: Client, serviceUrl: string): Promise<string | null> {
  const { rows } = await client.query<{ owner: string }>('SELECT current_user AS owner');
  const role = decodeURIComponent(new URL(serviceUrl).username);
  if (role === '' || role === rows[0]?.owner) return null;
  try {
    await client.query("SELECT set_config('billing.service_role', $1, false)", [role]);
    await client.query(await readFile(repositoryGrantsPath, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationError(`The role of DATABASE_URL did not get its rights: ${reason}`, { cause: error });
  }
  return role;
}
