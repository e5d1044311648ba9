import { readdirSync, readFileSync } from 'node:fs';
import { findLockingStatements } from './find-locking-statements.ts';

const folder = new URL('../../prisma/migrations/', import.meta.url);

/** From before this check. What they lock was small, or empty, when they came. None is added here without its reason. */
const allowed = new Set([
  '20261123000000_initial',
  '20261123000002_customer_attempts',
  '20261123000005_payments',
  '20261128143001_owner_indexes',
  '20261128145000_prices_of_stripe',
  '20261128152000_api_key_limits',
  '20261128162000_audit_chain',
  // Their tables come with the same release.
  '20261129010100_webhook_telling',
  '20261129020100_webhook_sending',
]);

const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test.each(names.filter((name) => !allowed.has(name)))('%s locks no table for long', (name) => {
  expect(findLockingStatements(readFileSync(new URL(`${name}/migration.sql`, folder), 'utf8'))).toEqual([]);
});

test('the list of older migrations names only what is there and would be refused', () => {
  for (const name of allowed)
    expect(findLockingStatements(readFileSync(new URL(`${name}/migration.sql`, folder), 'utf8'))).not.toEqual(
      [],
    );
});

test.each([
  'CREATE INDEX a ON public.events (b)',
  'create unique index if not exists "a" on "events"("b")',
  'CREATE TABLE other (a TEXT); CREATE INDEX a ON events (b)',
  'DROP INDEX a',
  'REINDEX TABLE events',
  'LOCK TABLE events',
  'TRUNCATE events',
  'UPDATE events SET a = 1',
  'DELETE FROM events',
  'ALTER TABLE events ALTER COLUMN a SET NOT NULL',
  'ALTER TABLE events ADD COLUMN a TEXT, ALTER b SET NOT NULL',
  'ALTER TABLE events ALTER COLUMN a TYPE BIGINT',
  'ALTER TABLE events ALTER COLUMN a SET DATA TYPE BIGINT USING a::bigint',
  'ALTER TABLE events ADD CONSTRAINT a CHECK (b > 0)',
  'ALTER TABLE events ADD CONSTRAINT a FOREIGN KEY (b) REFERENCES others (c)',
  'ALTER TABLE events ADD UNIQUE (b)',
  'ALTER TABLE events ADD CONSTRAINT a PRIMARY KEY (b)',
  'ALTER TABLE events ADD COLUMN a TEXT REFERENCES others',
  'ALTER TABLE events ADD COLUMN a TEXT UNIQUE',
  'ALTER TABLE events ADD COLUMN a TEXT NOT NULL',
  'ALTER TABLE events ADD COLUMN a UUID NOT NULL DEFAULT gen_random_uuid()',
  'ALTER TABLE events ADD COLUMN a TIMESTAMPTZ DEFAULT clock_timestamp()',
  'ALTER TABLE events ADD COLUMN a BIGSERIAL',
  'ALTER TABLE events ADD COLUMN a INT GENERATED ALWAYS AS (b + 1) STORED',
  'ALTER TABLE events SET UNLOGGED',
  'ALTER TABLE events ADD CONSTRAINT a CHECK (b > 0) NOT VALID; ALTER TABLE events VALIDATE CONSTRAINT a',
  'DO $$ BEGIN ALTER TABLE events ALTER COLUMN a SET NOT NULL; END $$',
])('%s is refused', (sql) => {
  expect(findLockingStatements(sql)).toHaveLength(1);
});

test.each([
  'CREATE INDEX CONCURRENTLY a ON events (b)',
  'CREATE TABLE events (a TEXT PRIMARY KEY, b INT CHECK (b > 0)); CREATE INDEX a ON public.events (b)',
  'CREATE TABLE a (b TEXT); ALTER TABLE a ADD CONSTRAINT c CHECK (length(b) > 0)',
  'DROP INDEX CONCURRENTLY a',
  'UPDATE events SET a = 1 WHERE b IS NULL',
  'ALTER TABLE events ADD COLUMN a TEXT',
  "ALTER TABLE events ADD COLUMN a TEXT NOT NULL DEFAULT 'none (yet)'",
  'ALTER TABLE events ADD COLUMN a TIMESTAMPTZ NOT NULL DEFAULT now()',
  'ALTER TABLE events ADD COLUMN a TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP',
  'ALTER TABLE events ADD CONSTRAINT a CHECK (b > 0) NOT VALID',
  'ALTER TABLE events VALIDATE CONSTRAINT a',
  'ALTER TABLE events ADD CONSTRAINT a PRIMARY KEY USING INDEX b',
  'ALTER TABLE events ALTER COLUMN a DROP NOT NULL, DROP COLUMN b',
  'ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.01)',
  '-- ALTER TABLE events ADD UNIQUE (b)\nSELECT 1',
  'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM events $$',
])('%s is allowed', (sql) => {
  expect(findLockingStatements(sql)).toEqual([]);
});
