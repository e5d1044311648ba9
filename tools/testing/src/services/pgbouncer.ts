import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { startGuarded } from '../processes/guarded-process.ts';
import type { GuardedProcess } from '../processes/guarded-process.ts';
import { waitFor } from '../wait-for.ts';
import { unprivilegedPrefix } from './postgres-data.ts';

export type PgBouncerOptions = {
  /** For its configuration and log. */
  dir: string;
  port: number;
  /** Of the database behind it. */
  targetUrl: string;
  /** In addition to its own defaults. */
  settings?: Readonly<Record<string, string | number>>;
};

export type PgBouncer = Pick<GuardedProcess, 'stop'> & { url: string };

/** Starts PgBouncer (Debian's package `pgbouncer`) in transaction mode, else with its own defaults, in front of a database. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const { dir, port, targetUrl, settings = {} } = options;
  const { hostname, port: targetPort, pathname, username } = new URL(targetUrl);
  const database = pathname.slice(1);
  mkdirSync(dir, { recursive: true });
  const users = join(dir, 'users.txt');
  writeFileSync(users, `"${username}" ""\n`);
  const own = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: users,
    pool_mode: 'transaction',
    ...settings,
  };
  const file = join(dir, 'pgbouncer.ini');
  writeFileSync(
    file,
    [
      '[databases]',
      `${database} = host=${hostname} port=${targetPort} dbname=${database}`,
      '[pgbouncer]',
      ...Object.entries(own).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  );
  const bouncer = await startGuarded({
    command: [...unprivilegedPrefix(dir), 'pgbouncer', file],
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    output: join(dir, 'pgbouncer.log'),
  });
  const url = Object.assign(new URL(targetUrl), { host: `127.0.0.1:${port}` }).href;
  await waitFor(
    async () => {
      const client = new Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      await client.end();
      return true;
    },
    { what: 'PgBouncer (Debian: apt-get install pgbouncer)' },
  );
  return { stop: bouncer.stop, url };
}
