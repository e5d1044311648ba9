import type { ClientConfig } from 'pg';
import { openWithin, PrimaryClient } from './primary-client.ts';
import type { StartupParameters } from './startup-parameters.ts';

/** The longest that one of several hosts may take to answer. */
const hostTimeoutMs = 1_000;

export type DatabaseHosts = {
  /** Resolves when the host of the primary is known; at once where there is one host. Rejects with the last host's error. */
  find: () => Promise<void>;
  /** How to connect to it, as far as is known. */
  current: () => ClientConfig;
  /** The primary may be elsewhere by now. Returns whether there are others to try. */
  forget: () => boolean;
};

type HostsOptions = { configs: readonly ClientConfig[]; startup: StartupParameters };

/**
 * Which of several hosts is the primary's: they are tried in their order, each for at most a second, by connections of their
 * own, and the one that was found is used until connecting to it fails.
 */
export function createDatabaseHosts({ configs, startup }: HostsOptions): DatabaseHosts {
  const [first, ...others] = configs;
  if (first === undefined) throw new Error('a database URL names a host');
  const hasOthers = others.length > 0;
  let current = first;
  let isKnown = !hasOthers;
  let finding: Promise<void> | undefined;

  async function tryInOrder(): Promise<void> {
    let failure: unknown;
    for (const config of configs)
      try {
        await reach(config, startup);
        current = config;
        isKnown = true;
        return;
      } catch (error) {
        failure = error;
      }
    throw failure;
  }

  return {
    find: async () => {
      if (isKnown) return;
      finding ??= tryInOrder().finally(() => {
        finding = undefined;
      });
      await finding;
    },
    current: () => current,
    forget: () => {
      if (hasOthers) isKnown = false;
      return hasOthers;
    },
  };
}

/** Connects once, without preparing anything. Throws where the host is away, or is no primary. */
async function reach(config: ClientConfig, startup: StartupParameters): Promise<void> {
  const client = await startup.retrying(() =>
    openWithin(new PrimaryClient({ config, startup, named: () => [] }), hostTimeoutMs),
  );
  await client.end();
}
