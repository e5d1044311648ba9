import type { Cause } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { withPayloadMonths } from '../event-payloads/payload-months.ts';
import { createTemplates } from '../sql-template.ts';
import { toStatement } from './outcome-rows.ts';
import type { Outcome, Written } from './outcomes.ts';
import { writeSql } from './write-sql.ts';

type WrittenRow = {
  isOurTurn: boolean;
  written: string[];
  recorded: string[];
  pending: { id: number; projectId: string; userId: string; version: number }[];
};

const templateFor = createTemplates(writeSql);

/**
 * Writes a batch in one statement, which is one transaction. Users are locked first, in the order of their
 * ids, as everywhere. An object is written only if its row version is still the one that was read; its items, its
 * users' versions and its events' ledger rows follow it, so an event and its effect are one. `erasureMark`: of the state
 * that all was decided by (`EventState`). `cause`: of what no event brings, for messages to products. A row is inserted
 * with version 1, which no stored row can precede. An object may occur once in a batch.
 */
export async function writeOutcomes(
  database: Pick<Database, '$queryJson'>,
  outcomes: readonly Outcome[],
  { erasureMark, cause = null }: { erasureMark: number; cause?: Cause | null },
): Promise<Written> {
  const { shape, values } = toStatement(outcomes, cause);
  const statement = templateFor(shape)({ ...values, erasure_mark: erasureMark });
  const events = outcomes.flatMap((outcome) => outcome.events);
  const { isOurTurn, written, recorded, pending } = await withPayloadMonths(database, events, () =>
    database.$queryJson<WrittenRow>(statement),
  );
  return {
    isCurrent: isOurTurn,
    written: new Set(written),
    recorded: new Set(recorded),
    pending: pending.map((one) => ({ ...one, id: BigInt(one.id), version: BigInt(one.version) })),
  };
}
