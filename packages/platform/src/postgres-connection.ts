import { isIP } from 'node:net';
import type { ClientConfig } from 'pg';
import { hostUrls } from './env/host-urls.ts';
import { parametersOf, readTlsFiles, tlsFileParameters } from './env/tls-files.ts';

export type PostgresConnection = Pick<ClientConfig, 'connectionString' | 'ssl' | 'enableChannelBinding'>;

/** How node-postgres is told of each host of a database URL, in their order. Throws where a file can't be read. */
export const postgresConnections = (databaseUrl: string): PostgresConnection[] =>
  hostUrls(databaseUrl).map(postgresConnection);

/**
 * How node-postgres is told of a database URL with one host. TLS is what the parameters say here and not what the driver makes of them,
 * as that changes with its versions: with any `sslmode` but `disable` and `no-verify` the server's certificate must be of
 * `sslrootcert` (default: of a public authority) and valid for the host. Throws where a file can't be read.
 */
export function postgresConnection(databaseUrl: string): PostgresConnection {
  const mode = parametersOf(databaseUrl).get('sslmode');
  const files = readTlsFiles(databaseUrl);
  const shared = {
    connectionString: withoutTlsParameters(databaseUrl),
    enableChannelBinding: (parametersOf(databaseUrl).get('channel_binding') ?? 'disable') !== 'disable',
  };
  if (mode === null && Object.keys(files).length === 0) return shared;
  if (mode === 'disable') return { ...shared, ssl: false };
  const host = new URL(databaseUrl).hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    ...shared,
    ssl: {
      ...files,
      rejectUnauthorized: mode !== 'no-verify',
      // The driver tells TLS the names of hosts, and no addresses: certificates for an address would never be valid.
      ...(isIP(host) === 0 ? {} : { host }),
    },
  };
}

function withoutTlsParameters(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  for (const name of ['sslmode', ...Object.values(tlsFileParameters)]) url.searchParams.delete(name);
  return url.href;
}
