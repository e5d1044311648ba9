/** Longest time that a transaction may do nothing: its process is gone, or stuck. */
export const idleInTransactionMs = 30_000;

/**
 * What every transaction begins with, in one message: all that a setting of the server, the database or the role could
 * make its statements depend on. It holds behind a pooler, which may give each transaction another session.
 */
export function beginTransaction({ statementTimeoutMs }: { statementTimeoutMs: number }): string {
  const settings = {
    TimeZone: "'UTC'",
    DateStyle: "'ISO, MDY'",
    IntervalStyle: "'postgres'",
    bytea_output: "'hex'",
    extra_float_digits: 1,
    search_path: 'public',
    statement_timeout: statementTimeoutMs,
    // Waiting for a lock is a part of the statement.
    lock_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
  };
  const set = Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`);
  return ['BEGIN ISOLATION LEVEL READ COMMITTED', ...set].join('; ');
}
