import { randomBytes } from 'node:crypto';
import { callbackify } from 'node:util';
import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import { inRecovery } from '../database-errors.ts';
import type { NamedStatement } from '../statement-names.ts';
import { prepareStatements } from './prepare-statements.ts';
import type { StartupParameters } from './startup-parameters.ts';

/** The server that answered is not the primary: nothing of it may be used. Postgres's own code for "cannot connect now". */
export class NotPrimary extends Error {
  override readonly name = 'NotPrimary';
  readonly code = '57P03';
  readonly severity = 'FATAL';
  constructor() {
    super(`the server ${inRecovery}`);
  }
}

export type PrimaryClientOptions = {
  config: ClientConfig;
  startup: StartupParameters;
  /** What is prepared before the connection is used. */
  named: () => readonly NamedStatement[];
  /** A server in recovery will do. */
  mayBeReplica?: boolean;
};

type ConnectCallback = ((error: Error) => void) & ((error: null, client: Client) => void);

/**
 * A connection that counts as open once it is known to be to a primary and has prepared the statements of this process.
 * `connect` rejects with `NotPrimary` where the server is in recovery: a server that became a replica, or a name that still leads
 * to one, would answer reads with what is old and refuse writes.
 */
export class PrimaryClient extends Client {
  /** Whether a statement can be kept by name: not where a pooler hands names on to sessions that others use as well. */
  keepsNames = true;
  readonly #options: PrimaryClientOptions;
  #opened: Promise<Client> | undefined;

  constructor(options: PrimaryClientOptions) {
    super(options.config);
    this.#options = options;
    // What runs on it reports its loss; an idle one is reported by the pool's own listener.
    this.on('error', () => undefined);
  }

  /** What a connection asks for in its first message; not in the package's types. */
  getStartupConf(): Record<string, string> {
    const inherited: unknown = Reflect.get(Client.prototype, 'getStartupConf');
    const own: unknown = typeof inherited === 'function' ? inherited.call(this) : undefined;
    if (typeof own !== 'object') throw new Error('node-postgres no longer asks for its start-up parameters.');
    return { ...own, ...this.#options.startup.wanted() };
  }

  override connect(): Promise<Client>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<Client> | undefined {
    this.#opened ??= this.#open();
    if (callback === undefined) return this.#opened;
    const opened = this.#opened;
    callbackify(() => opened)(callback);
    return undefined;
  }

  async #open(): Promise<Client> {
    await super.connect();
    try {
      const { isBehindPooler } = await this.#ask();
      if (isBehindPooler) this.keepsNames = await this.#keepsNamesApart();
      if (this.keepsNames) await prepareStatements(this, this.#options.named());
    } catch (error) {
      this.end().catch(() => undefined);
      throw error;
    }
    return this;
  }

  /** A pooler gives its clients numbers of its own for the process that serves them. */
  async #ask(): Promise<{ isBehindPooler: boolean }> {
    const { rows } = await this.query<{ isInRecovery: boolean; pid: number }>(
      'SELECT pg_is_in_recovery() AS "isInRecovery", pg_backend_pid() AS pid',
    );
    if (rows[0] === undefined || (rows[0].isInRecovery && this.#options.mayBeReplica !== true))
      throw new NotPrimary();
    return { isBehindPooler: rows[0].pid !== Reflect.get(this, 'processID') };
  }

  /**
   * Whether the pooler keeps its clients' statements apart, as PgBouncer does since 1.21: Postgres then knows them by
   * other names. Where the name arrives as it was sent, the session that has it will be another's in the next transaction.
   */
  async #keepsNamesApart(): Promise<boolean> {
    const name = `billing_probe_${randomBytes(8).toString('hex')}`;
    await this.query('BEGIN');
    const { rows } = await this.query<{ isKnown: boolean }>({
      name,
      text: 'SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE name = $1) AS "isKnown"',
      values: [name],
    });
    const isKnown = rows[0]?.isKnown !== false;
    if (isKnown) await this.query(`DEALLOCATE ${name}`);
    await this.query('COMMIT');
    return !isKnown;
  }
}

/** Connects within `ms` milliseconds. Rejects where that fails; nothing is left open then. */
export async function openWithin(client: PrimaryClient, ms: number): Promise<PrimaryClient> {
  const timer = setTimeout(() => client.connection.stream.destroy(), ms);
  try {
    await client.connect();
    return client;
  } finally {
    clearTimeout(timer);
  }
}
