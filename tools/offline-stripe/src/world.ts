import type { Tables } from './state/tables.ts';

export type Logger = {
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
};

/** Stripe's time here: real time plus an offset that only the clock control moves. All values are Unix seconds. */
export type Clock = {
  now(): number;
  offset(): number;
  setOffset(seconds: number): void;
  /** Runs something as if it were `at`: what is due gets its own moment as `created`, however late it is done. */
  runAt<T>(at: number, run: () => T): T;
};

export function createClock(): Clock {
  let offset = 0;
  let fixed: number | null = null;
  return {
    now: () => fixed ?? Math.floor(Date.now() / 1000) + offset,
    offset: () => offset,
    setOffset: (seconds) => {
      offset = seconds;
    },
    runAt: (at, run) => {
      const outer = fixed;
      fixed = at;
      try {
        return run();
      } finally {
        fixed = outer;
      }
    },
  };
}

/** All that the billing functions work on. */
export type World = {
  tables: Tables;
  clock: Clock;
  logger: Logger;
  /** The address of the hosted pages, e.g. `http://127.0.0.1:12111`. */
  publicUrl(): string;
  /** True if an event made now is to be delivered. */
  delivers(): boolean;
  /** Runs something and takes back all that it changed, with its events. */
  rehearse<T>(run: () => T): T;
  /** The API request that is being executed; its id and key are named in the events it causes. */
  currentRequest: { id: string; idempotencyKey: string | null } | null;
};
