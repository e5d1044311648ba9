/** What the run's global set-up tells the test files, which run in other processes: by environment. */
const POSTGRES = 'BILLING_TEST_POSTGRES_URL';
const TEMPLATE = 'BILLING_TEST_TEMPLATE';
const REDIS = 'BILLING_TEST_REDIS_URL';

export type RunServices = {
  readonly postgresUrl: string;
  readonly templateDatabase: string;
  readonly redisUrl: string;
};

export function publishRunServices(services: RunServices): void {
  process.env[POSTGRES] = services.postgresUrl;
  process.env[TEMPLATE] = services.templateDatabase;
  process.env[REDIS] = services.redisUrl;
}

/** The services of this jest run. */
export function runServices(): RunServices {
  return { postgresUrl: read(POSTGRES), templateDatabase: read(TEMPLATE), redisUrl: read(REDIS) };
}

function read(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests with this repository's jest.`);
  return value;
}
