import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { readTimestamp, UnclearTimestamp } from './timestamps.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

describe('statements', () => {
  const schema = readFileSync(`${root}prisma/schema.prisma`, 'utf8');
  const tables = [...schema.matchAll(/@@map\("(\w+)"\)/g)].map(([, name]) => name);
  const unqualified = new RegExp(
    `\\b(?:FROM|JOIN|UPDATE|INTO|USING)\\s+(?:ONLY\\s+)?"?(?:${tables.join('|')})\\b`,
    'g',
  );

  it('name the schema of every table, as `search_path` may lead elsewhere: write public.users', () => {
    const sources = ['packages', 'apps']
      .flatMap((room) =>
        readdirSync(root + room, { recursive: true, encoding: 'utf8' }).map((path) => `${room}/${path}`),
      )
      .filter((path) => /^\w+\/[\w-]+\/src\/.*\.ts$/.test(path))
      .filter((path) => !/\.test(-support)?\.ts$|\/generated\//.test(path));
    expect(sources.length).toBeGreaterThan(200);
    const found = sources.flatMap((path) =>
      [...readFileSync(root + path, 'utf8').matchAll(unqualified)].map(([text]) => `${path}: ${text}`),
    );
    expect(found).toEqual([]);
  });

  it('the pattern finds what it should', () => {
    expect('SELECT 1 FROM users'.match(unqualified)).toHaveLength(1);
    expect('SELECT 1 FROM public.users JOIN stored_users'.match(unqualified)).toBeNull();
  });
});

describe('the database', () => {
  let place: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    place = await createTestDatabase();
    database = createDatabase({
      url: place.url,
      poolSize: 2,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
    });
  });
  afterAll(async () => {
    await database.$disconnect();
    await place.drop();
  });

  it('has no column whose time lacks its zone', async () => {
    const columns = await database.$queryRaw`
      SELECT table_name::text, column_name::text FROM information_schema.columns
      WHERE table_schema = 'public' AND data_type IN ('timestamp without time zone', 'time without time zone', 'date')`;
    expect(columns).toEqual([]);
  });

  it('refuses a statement that returns a time without its zone', async () => {
    await expect(database.$queryRaw`SELECT now()::timestamp`).rejects.toThrow('without a zone');
  });

  const at = new Date('2026-03-29T01:30:00.007Z');

  it.each<[string, (database: Database) => Promise<unknown>]>([
    [
      'a statement',
      (db) => db.$queryRaw`SELECT ${at}::timestamptz AS at, ARRAY[${at}::timestamptz, ${at}] AS list`,
    ],
    [
      'a statement that may write',
      (db) =>
        db.$queryRaw`WITH one AS (SELECT ${at}::timestamptz AS at, ${[at, at]}::timestamptz[] AS list) SELECT * FROM one`,
    ],
    [
      'a transaction',
      (db) =>
        db.$transaction(
          (tx) => tx.$queryRaw`SELECT ${at}::timestamptz AS at, ${[at, at]}::timestamptz[] AS list`,
        ),
    ],
  ])('%s takes and returns instants as they are', async (_kind, ask) => {
    expect(await ask(database)).toEqual([{ at, list: [at, at] }]);
  });

  it('transactions state their isolation, zone, formats, schema and time-outs', async () => {
    const settings = await database.$transaction(
      (tx) => tx.$queryRaw`
        SELECT current_setting('transaction_isolation') AS isolation, current_setting('TimeZone') AS zone,
          current_setting('DateStyle') AS style, current_setting('search_path') AS path,
          current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock`,
    );
    expect(settings).toEqual([
      {
        isolation: 'read committed',
        zone: 'UTC',
        style: 'ISO, MDY',
        path: 'public',
        statement: '5s',
        lock: '5s',
      },
    ]);
  });
});

test.each([
  ['2026-11-22 15:30:00.123+05:30', '2026-11-22T10:00:00.123Z'],
  ['2026-11-22 05:00:00-05', '2026-11-22T10:00:00.000Z'],
  ['2026-11-22 10:00:00.123456+00', '2026-11-22T10:00:00.123Z'],
  ['1971-06-01 00:00:00.5-00:44:30', '1971-06-01T00:44:30.500Z'],
  ['10000-01-01 05:29:59.999+05:30', '9999-12-31T23:59:59.999Z'],
])('%s is read as %s', (text, expected) => expect(readTimestamp(text)).toBe(expected));

test.each([
  '22/11/2026 15:30:00.123 IST',
  '22.11.2026 15:30:00 IST',
  'Sun Nov 22 15:30:00 2026 IST',
  'infinity',
])('%s is not read at all', (text) => expect(() => readTimestamp(text)).toThrow(UnclearTimestamp));
