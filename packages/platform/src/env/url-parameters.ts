import { splitUrls } from './host-urls.ts';
import { parametersOf, tlsFileParameters, tlsFileProblem } from './tls-files.ts';

const ofPostgres = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'channel_binding',
  'application_name',
  'options',
  'connect_timeout',
  'target_session_attrs',
  'schema',
  'connection_limit',
  'pgbouncer',
];
const tlsFiles: readonly string[] = Object.values(tlsFileParameters);
const ofRedis = ['family', 'db'];

const ofSentinels = ['sentinel_username', 'sentinel_password'];

const knownToRedis = (url: string): readonly string[] => [
  ...(/^rediss?\+cluster/i.test(url) ? ['family'] : ofRedis),
  ...(/^rediss?\+sentinel/i.test(url) ? ofSentinels : []),
  ...(/^rediss/i.test(url) ? tlsFiles : []),
];

const knownToPostgres = (url: string): readonly string[] =>
  parametersOf(url).get('sslmode') === 'disable'
    ? ofPostgres.filter((name) => !tlsFiles.includes(name))
    : ofPostgres;

/** Which parameters of the URLs have an effect, by variable. */
const known: Readonly<Partial<Record<string, (url: string) => readonly string[]>>> = {
  DATABASE_URL: knownToPostgres,
  MIGRATE_DATABASE_URL: knownToPostgres,
  REDIS_URL: knownToRedis,
  CACHE_REDIS_URL: knownToRedis,
};

/** Parameters of the URL in this variable that have no effect: somebody relies on something that does not happen. */
export function ignoredParameters(variable: string, value: string): string[] {
  if (variable === 'DATABASE_REPLICA_URLS')
    return [...new Set(splitUrls(value).flatMap((url) => ignoredParameters('DATABASE_URL', url)))];
  const names = known[variable]?.(value.trim());
  if (names === undefined) return [];
  return [...new Set(parametersOf(value.trim()).keys())].filter((name) => !names.includes(name));
}

/** Values that parameters of `DATABASE_URL` may have, with what is said of any other. */
const allowed: Readonly<Record<string, { pattern: RegExp; expected: string }>> = {
  sslmode: {
    pattern: /^(?:disable|allow|prefer|require|verify-ca|verify-full|no-verify)$/,
    expected: 'sslmode=disable, allow, prefer, require, verify-ca, verify-full or no-verify',
  },
  schema: { pattern: /^public$/, expected: 'schema=public or none: the tables are in that schema' },
  target_session_attrs: {
    pattern: /^(?:any|read-write)$/,
    expected: 'target_session_attrs=any or read-write',
  },
  channel_binding: {
    pattern: /^(?:disable|prefer|require)$/,
    expected: 'channel_binding=disable, prefer or require',
  },
  connect_timeout: { pattern: /^\d{1,3}$/, expected: 'connect_timeout=0 to 999 (seconds)' },
  connection_limit: {
    pattern: /^(?:[1-9]|[1-9]\d|[1-4]\d\d|500)$/,
    expected: 'connection_limit=1 to 500',
  },
  pgbouncer: { pattern: /^(?:true|false)$/, expected: 'pgbouncer=true or false' },
};

/** What is wrong with the parameters of a database URL, in any mode; undefined: nothing. */
export function wrongDatabaseParameter(url: string): string | undefined {
  const parameters = parametersOf(url);
  const wrong = Object.entries(allowed)
    .filter(([name, { pattern }]) => parameters.getAll(name).some((value) => !pattern.test(value)))
    .map(([, { expected }]) => expected);
  return wrong.length === 0 ? tlsFileProblem(url) : wrong.join('; ');
}

/** From `min` to `max`, both included. */
export type Range = { readonly min: number; readonly max: number };

export type DatabaseSettings = {
  poolSize: number;
  hasPreparedStatements: boolean;
  /** After which a connection is replaced: drawn from this range for each. */
  connectionSeconds: Range;
};

/** The settings of the connections, of which the URL's parameters `connection_limit` and `pgbouncer` go first. */
export function databaseSettings(fields: {
  DATABASE_URL: string;
  DATABASE_POOL_SIZE: number;
  DATABASE_PREPARED_STATEMENTS: 'on' | 'off';
  DATABASE_CONNECTION_SECONDS: Range;
}): DatabaseSettings {
  const parameters = parametersOf(fields.DATABASE_URL);
  return {
    poolSize: Number(parameters.get('connection_limit') ?? fields.DATABASE_POOL_SIZE),
    hasPreparedStatements:
      fields.DATABASE_PREPARED_STATEMENTS === 'on' && parameters.get('pgbouncer') !== 'true',
    connectionSeconds: fields.DATABASE_CONNECTION_SECONDS,
  };
}
