import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { readSources } from './read-sources.ts';
import { createStatementNames } from './statement-names.ts';

describe('names of prepared statements', () => {
  it('gives a text a name at its third use, and each text its own', () => {
    const { nameOf, named } = createStatementNames();
    const names = ['a', 'a', 'a', 'b', 'b', 'b', 'a'].map((sql) => nameOf(sql));
    const [a = '', b = ''] = named().map(({ name }) => name);
    expect(names).toEqual(['', '', a, '', '', b, a]);
    expect(named().map(({ text }) => text)).toEqual(['a', 'b']);
    expect(a).not.toBe(b);
  });

  it('is a digest of the text: processes whose sessions a pooler mixes never mean two texts by one name', () => {
    const namesOf = (texts: string[]): string[] => {
      const { nameOf } = createStatementNames();
      return texts.map((text) => [text, text, text].map((sql) => nameOf(sql)).at(-1) ?? '');
    };
    const there = namesOf(['a', 'b']);
    expect(namesOf(['b', 'c', 'a'])).toEqual([there[1], expect.any(String), there[0]]);
    // Postgres cuts names off at 63 bytes.
    expect(there[0]).toMatch(/^billing_[\w-]{27}$/);
  });

  it('stops at its bound', () => {
    const { nameOf } = createStatementNames({ max: 2 });
    const texts = Array.from({ length: 5_000 }, (_, index) => `select ${index % 50}`);
    const names = new Set(texts.map((sql) => nameOf(sql)));
    expect([names.has(''), names.size]).toEqual([true, 3]);
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
