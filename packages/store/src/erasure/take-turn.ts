import type { Queries } from '../create-database.ts';

/*
 * An erasure and a write of what was decided before it must not pass each other: the write would bring the user back. Writers
 * share a lock that an erasure takes alone, and say by which erasure they decided. A trigger of `users` takes it for those who
 * make a user's row by hand, who then come before or after the erasure.
 */

const turn = (isNewest: string): string => `
    SELECT pg_try_advisory_xact_lock_shared(hashtext('billing.erasure')) AND EXISTS (${isNewest}) AS is_ours`;

const newest = 'SELECT sequence FROM public.erasure_mark WHERE sequence = $erasure_mark::bigint';

/**
 * Parts of a statement: whether it may write. Not where an erasure was committed after the one with the given number, by which
 * all was decided, or is under way: the writer decides again.
 *
 * The snapshot of a statement that makes users may be older than the lock by as long as its planning took: the row's own lock
 * shows the newest number all the same, or ends the statement, which is then run again.
 */
export const turnParts = ({ makesUsers }: { makesUsers: boolean }): Record<string, string> =>
  makesUsers
    ? { newest_mark: `${newest} FOR SHARE`, turn: turn('SELECT FROM newest_mark') }
    : { turn: turn(newest) };

/** The condition of all that a statement with `turnParts` writes. */
export const isOurTurn = '(SELECT is_ours FROM turn)';

const lockMs = 300;

/** Lets an erasure be alone until its commit. Writers are short; while this waits for them, new ones put off what they do. */
export async function takeTurnAlone(tx: Queries): Promise<void> {
  const [before] = await tx.$queryRaw<{ timeout: string }[]>`
    SELECT current_setting('lock_timeout') AS timeout, set_config('lock_timeout', ${String(lockMs)}, true)`;
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext('billing.erasure'))::text`;
  await tx.$queryRaw`SELECT set_config('lock_timeout', ${before?.timeout ?? '5s'}, true)`;
}
