import { createTestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import { readTimeline } from './read-timeline.ts';

test('the timeline is readable by the role with the least rights', async () => {
  const place = await createTestDatabase();
  const database = createDatabase({
    url: place.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
  });
  await expect(readTimeline(database)).resolves.toBe('00000001');
  await database.$disconnect();
  await place.drop();
});
