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
const ofRedis = ['family', 'db'];

/** Which parameters of the URLs have an effect, by variable. */
const known: Readonly<Partial<Record<string, readonly string[]>>> = {
  DATABASE_URL: ofPostgres,
  REDIS_URL: ofRedis,
  CACHE_REDIS_URL: ofRedis,
};

/** Parameters of the URL in this variable that have no effect: somebody relies on something that does not happen. */
export function ignoredParameters(variable: string, value: string): string[] {
  const names = known[variable];
  if (names === undefined || !URL.canParse(value.trim())) return [];
  return [...new Set(new URL(value.trim()).searchParams.keys())].filter((name) => !names.includes(name));
}

/** Values that parameters of `DATABASE_URL` may have, with what is said of any other. */
const allowed: Readonly<Record<string, { pattern: RegExp; expected: string }>> = {
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
export function wrongDatabaseParameter(url: URL): string | undefined {
  for (const [name, { pattern, expected }] of Object.entries(allowed))
    if (url.searchParams.getAll(name).some((value) => !pattern.test(value))) return expected;
  return undefined;
}

export type DatabaseSettings = { poolSize: number; hasPreparedStatements: boolean };

/** The settings of the connections, of which the URL's parameters `connection_limit` and `pgbouncer` go first. */
export function databaseSettings(fields: {
  DATABASE_URL: string;
  DATABASE_POOL_SIZE: number;
  DATABASE_PREPARED_STATEMENTS: 'on' | 'off';
}): DatabaseSettings {
  const { searchParams } = new URL(fields.DATABASE_URL);
  return {
    poolSize: Number(searchParams.get('connection_limit') ?? fields.DATABASE_POOL_SIZE),
    hasPreparedStatements:
      fields.DATABASE_PREPARED_STATEMENTS === 'on' && searchParams.get('pgbouncer') !== 'true',
  };
}
