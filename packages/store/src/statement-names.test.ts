import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { readSources } from './read-sources.ts';
import { createStatementNames } from './statement-names.ts';

describe('names of prepared statements', () => {
  it('gives a text a name at its third use, and each text its own', () => {
    const nameOf = createStatementNames();
    expect(['a', 'a', 'a', 'b', 'b', 'b', 'a'].map(nameOf)).toEqual([
      '',
      '',
      'billing_1',
      '',
      '',
      'billing_2',
      'billing_1',
    ]);
  });

  it('stops at its bound', () => {
    const nameOf = createStatementNames({ max: 2 });
    const texts = Array.from({ length: 5_000 }, (_, index) => `select ${index % 50}`);
    expect(new Set(texts.map(nameOf))).toEqual(new Set(['', 'billing_1', 'billing_2']));
  });
});

describe('the database', () => {
  let place: TestDatabase;
  const open = (hasPreparedStatements: boolean): Database =>
    createDatabase({
      url: place.url,
      poolSize: 1,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
      hasPreparedStatements,
    });

  beforeAll(async () => {
    place = await createTestDatabase();
  });
  afterAll(() => place.drop());

  it.each([
    [true, 1],
    [false, 0],
  ])('with prepared statements %p prepares the read of a check', async (isOn, expected) => {
    const database = open(isOn);
    for (let count = 0; count < 5; count += 1) await readSources(database, 'nobody', ['user']);
    const prepared = await database.$queryRaw<unknown[]>`
      SELECT 1 FROM pg_prepared_statements WHERE name LIKE 'billing%' AND statement LIKE '%subscription_items%'`;
    expect(prepared).toHaveLength(expected);
    await database.$disconnect();
  });
});
