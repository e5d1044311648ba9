import type { Client, Connection, Submittable } from 'pg';
import type { NamedStatement } from '../statement-names.ts';

/** Those that a process used three times first are its hot ones. Each takes a round trip. */
const maxPrepared = 50;

/**
 * Prepares the hot statements on a connection, so that the first call that uses each does not wait for it. One that Postgres
 * refuses (a migration took its column away) is left to the call that needs it. Rejects where the connection is lost.
 */
export async function prepareStatements(
  client: Client,
  statements: readonly NamedStatement[],
): Promise<void> {
  for (const statement of statements.slice(0, maxPrepared))
    await new Promise<void>((resolve, reject) => {
      client.query(new Preparation(statement, { resolve, reject }));
    });
}

type Outcome = { resolve: () => void; reject: (error: unknown) => void };

/** A query of node-postgres that ends after the statement is parsed. By `name` and `text` the driver notes what is prepared. */
class Preparation implements Submittable {
  readonly name: string;
  readonly text: string;
  /** Set by the driver: it ends the time-out. */
  callback?: () => void;
  readonly #outcome: Outcome;

  constructor({ name, text }: NamedStatement, outcome: Outcome) {
    this.name = name;
    this.text = text;
    this.#outcome = outcome;
  }

  submit(connection: Connection): void {
    connection.parse({ name: this.name, text: this.text, types: [] }, true);
    connection.sync();
  }

  handleReadyForQuery(): void {
    this.callback?.();
    this.#outcome.resolve();
  }

  handleError(error: unknown): void {
    this.callback?.();
    if (isOfStatement(error)) this.#outcome.resolve();
    else this.#outcome.reject(error);
  }
}

/** Postgres refused the statement: the connection goes on. */
export const isOfStatement = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'severity' in error && error.severity === 'ERROR';
