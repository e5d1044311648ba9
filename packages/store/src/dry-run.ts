import type { FieldChange } from '@billing/domain';
import { countHolders } from './catalog/count-holders.ts';
import type { Holders } from './catalog/count-holders.ts';
import type { Database, Queries } from './create-database.ts';

/** What a change would do: the fields that it changes, and how many users it concerns. */
export type Tried = { changes: FieldChange[]; affectedUsers: number };

/** What the transactions of one trial did. */
type Trial = { changes: FieldChange[]; users: Set<string>; holders: Holders[] };

/** By the client that the transactions of a trial write with. */
const trials = new WeakMap<object, Trial>();

/** Ends a transaction of a trial, so that nothing of it stays. */
class RolledBack extends Error {
  override readonly name = 'RolledBack';
}

export const isTrial = (tx: object): boolean => trials.has(tx);

/** Tells the trial, if this is one, what is changed. */
export function noteChanges(tx: object, changes: readonly FieldChange[]): void {
  trials.get(tx)?.changes.push(...changes);
}

/** Tells the trial, if this is one, whose answers change. */
export function noteUsers(tx: object, users: readonly { projectId: string; userId: string | null }[]): void {
  for (const { projectId, userId } of users)
    if (userId !== null) trials.get(tx)?.users.add(JSON.stringify([projectId, userId]));
}

/** Tells the trial, if this is one, that the answers of all holders of something change. */
export function noteHolders(tx: object, holders: Holders): void {
  trials.get(tx)?.holders.push(holders);
}

const newTrial = (): Trial => ({ changes: [], users: new Set(), holders: [] });

function add(trial: Trial, { changes, users, holders }: Trial): void {
  trial.changes.push(...changes);
  for (const user of users) trial.users.add(user);
  trial.holders.push(...holders);
}

/** A database whose transactions are rolled back once they have done their work, and return what it came to. */
function withoutCommits(database: Database, trial: Trial): Database {
  async function transact<T>(work: (tx: Queries) => Promise<T>): Promise<T> {
    let done: { result: T; did: Trial } | undefined;
    try {
      return await database.$transaction(async (tx) => {
        // Of this run alone: one that Postgres ended because of a conflict is run again.
        const did = newTrial();
        trials.set(tx, did);
        done = { result: await work(tx), did };
        throw new RolledBack();
      });
    } catch (error) {
      if (!(error instanceof RolledBack) || done === undefined) throw error;
      add(trial, done.did);
      return done.result;
    }
  }
  return new Proxy(database, {
    get: (target, name) => (name === '$transaction' ? transact : Reflect.get(target, name)),
  });
}

/**
 * Makes a change on a database that keeps nothing of it, and answers what it would do. It refuses what the change
 * itself would refuse. `change` must write in transactions only.
 */
export async function tryChange(
  database: Database,
  change: (database: Database) => Promise<unknown>,
): Promise<Tried> {
  const trial = newTrial();
  await change(withoutCommits(database, trial));
  const { changes, users, holders } = trial;
  const counts = await Promise.all(holders.map((one) => countHolders(database, one)));
  return { changes, affectedUsers: Math.max(users.size, ...counts) };
}
