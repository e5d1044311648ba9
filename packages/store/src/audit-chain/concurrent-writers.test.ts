import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { array, assert, asyncProperty, boolean, integer, json, nat, record, string } from 'fast-check';
import { writeAudit } from '../audit.ts';
import type { Database } from '../create-database.ts';
import { openDatabase, writeGrant } from './audit-chain.test-support.ts';
import { verifyAudit } from './verify-audit.ts';

describe('writers', () => {
  let place: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    place = await createTestDatabase();
    database = openDatabase(place.url);
  });
  afterAll(async () => {
    await database.$disconnect();
    await place.drop();
  });

  it('at the same time make one unbroken chain, whichever of them give up', async () => {
    const before = (await verifyAudit(database, [])).rows;
    let written = 0;
    await assert(
      asyncProperty(
        array(record({ rows: integer({ min: 1, max: 3 }), pauseMs: nat(3), givesUp: boolean() }), {
          minLength: 2,
          maxLength: 12,
        }),
        async (writers) => {
          await Promise.all(
            writers.map(({ rows, pauseMs, givesUp }) =>
              database
                .$transaction(async (tx) => {
                  for (let row = 0; row < rows; row += 1) {
                    await writeAudit(tx, {
                      actor: { name: 'writer', requestId: null },
                      action: 'of.the.test',
                      projectId: null,
                      target: { type: 'run', id: `run_${row}` },
                    });
                    await tx.$queryRaw`SELECT 1 AS one FROM pg_sleep(${pauseMs / 1000}::float8)`;
                  }
                  if (givesUp) throw new Error('gives up');
                  return rows;
                })
                .then((count) => (written += count))
                .catch((error: unknown) => {
                  if (!(error instanceof Error) || error.message !== 'gives up') throw error;
                }),
            ),
          );
          const checked = await verifyAudit(database, []);
          expect(checked).toMatchObject({ rows: before + written, problem: null });
          expect(checked.head.id).toBe(BigInt(before + written));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('of any text get the digest that is verified', async () => {
    const text = string({ unit: 'binary', maxLength: 40 }).map((one) => one.replaceAll('\0', ''));
    await assert(
      asyncProperty(text, text, json(), async (id, reason, details) => {
        await writeGrant(database, {
          id,
          reason,
          details: { any: JSON.parse(details.replaceAll('\\u0000', '')) },
        });
        expect((await verifyAudit(database, [])).problem).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});
