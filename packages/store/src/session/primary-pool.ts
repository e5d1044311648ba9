import type { Range } from '@billing/platform';
import { Pool } from 'pg';
import type { Client, ClientConfig, PoolClient } from 'pg';
import { isReadOnlyError } from '../database-errors.ts';
import type { NamedStatement } from '../statement-names.ts';
import { createDatabaseHosts } from './database-hosts.ts';
import { openWithin, PrimaryClient } from './primary-client.ts';
import { renewConnections } from './renew-connections.ts';
import type { StartupParameters } from './startup-parameters.ts';

/** Writes that are refused come many at a time, and again each second where processes say that they are alive. */
const renewAllEveryMs = 5_000;

export type PrimaryPoolOptions = {
  /** One for each host. */
  configs: readonly ClientConfig[];
  poolSize: number;
  /** How long to wait for a free connection, and for a new one to open. */
  connectTimeoutMs: number;
  connectionSeconds: Range;
  mayBeReplica?: boolean;
  startup: StartupParameters;
  /** What is prepared on each connection before it is used. */
  named: () => readonly NamedStatement[];
};

export type PrimaryPool = {
  pool: Pool;
  /** A connection to the primary, to be released by `release`. */
  acquire: () => Promise<PoolClient>;
  /** `error`: what its last statement failed with, where it did. */
  release: (client: PoolClient, error?: unknown) => void;
  /** Notes what a statement failed with: a write that was refused because the server is read only ends all connections. */
  noteFailure: (error: unknown) => void;
  end: () => Promise<void>;
};

/**
 * A pool of connections to the primary. Connections are replaced at an age, never closed for idleness, and all of them where
 * a write was refused because the server is read only: it may be the primary no longer.
 */
export function createPrimaryPool(options: PrimaryPoolOptions): PrimaryPool {
  const { configs, startup, connectTimeoutMs, named, mayBeReplica = false } = options;
  const hosts = createDatabaseHosts({ configs, startup });
  const spares = new Set<PrimaryClient>();
  let renewedAllAt = -Infinity;

  class HostClient extends PrimaryClient {
    constructor() {
      super({ config: hosts.current(), startup, named, mayBeReplica });
    }
  }
  function takeSpare(): PrimaryClient | undefined {
    const [spare] = spares;
    if (spare !== undefined) spares.delete(spare);
    return spare;
  }
  const pool = new Pool({
    max: options.poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 0,
    // The pool's next connection is one that is open already, where there is one.
    Client: new Proxy(HostClient, { construct: (Opening) => takeSpare() ?? new Opening() }),
  });
  const renewal = renewConnections({
    pool,
    connectionSeconds: options.connectionSeconds,
    hasSpare: () => spares.size > 0,
    openSpare: async () => {
      await hosts.find();
      const spare = await startup.retrying(() => openWithin(new HostClient(), connectTimeoutMs));
      spare.once('end', () => spares.delete(spare));
      spares.add(spare);
    },
  });
  const closeSpares = (): Promise<void[]> => Promise.all(Array.from(spares, closeQuietly));

  return {
    pool,
    acquire: async () => {
      await hosts.find();
      try {
        return await startup.retrying(() => pool.connect());
      } catch (error) {
        if (isPoolBusy(error) || !hosts.forget()) throw error;
      }
      await hosts.find();
      return pool.connect();
    },
    release: (client, error) => client.release(renewal.isOutdated(client) || isUnusableAfter(error)),
    noteFailure: (error) => {
      if (!isReadOnlyError(error) || performance.now() - renewedAllAt < renewAllEveryMs) return;
      renewedAllAt = performance.now();
      hosts.forget();
      void closeSpares();
      renewal.renewAll();
    },
    end: async () => {
      await Promise.all([closeSpares(), pool.end()]);
    },
  };
}

const closeQuietly = (client: Client): Promise<void> => client.end().catch(() => undefined);

/** All connections are in use: no sign of where the primary is. */
const isPoolBusy = (error: unknown): boolean =>
  error instanceof Error && error.message === 'timeout exceeded when trying to connect';

/** An error that is not Postgres's answer to a statement leaves the connection in an unknown state. */
const isUnusableAfter = (error: unknown): boolean =>
  error !== undefined &&
  !(typeof error === 'object' && error !== null && 'severity' in error && error.severity === 'ERROR');
