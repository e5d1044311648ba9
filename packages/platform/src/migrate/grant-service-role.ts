import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { hostUrls } from '../env/host-urls.ts';
import { MigrationError } from './migration-error.ts';
import { repositoryGrantsPath } from './read-migrations.ts';
import { scramVerifier } from './scram-verifier.ts';

/**
 * Grants the role of `serviceUrl` what the processes need, and nothing more: `prisma/service-role.sql`. A role that is not there
 * is made, with the password of the URL, if the owner may. `client` is connected as the owner of the tables. Returns the role;
 * null: it is the owner itself. Throws MigrationError.
 */
export async function grantServiceRole(client: Client, serviceUrl: string): Promise<string | null> {
  const { username, password } = new URL(hostUrls(serviceUrl)[0]);
  const role = decodeURIComponent(username);
  const { rows } = await client.query<{ isOwner: boolean; isMissing: boolean; mayCreate: boolean }>(
    `SELECT current_user = $1 AS "isOwner", rolcreaterole OR rolsuper AS "mayCreate",
       NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1) AS "isMissing"
     FROM pg_catalog.pg_roles WHERE rolname = current_user`,
    [role],
  );
  if (role === '' || rows[0]?.isOwner === true) return null;
  try {
    if (rows[0]?.isMissing === true && rows[0].mayCreate)
      await client.query(createRole(client, role, decodeURIComponent(password)));
    await client.query("SELECT set_config('billing.service_role', $1, false)", [role]);
    await client.query(await readFile(repositoryGrantsPath, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationError(`The role of DATABASE_URL did not get its rights: ${reason}`, { cause: error });
  }
  return role;
}

function createRole(client: Client, role: string, password: string): string {
  const login = `CREATE ROLE ${client.escapeIdentifier(role)} LOGIN`;
  return password === '' ? login : `${login} PASSWORD ${client.escapeLiteral(scramVerifier(password))}`;
}
