import type { Clock } from './clock.ts';
import type { Tables } from './state/tables.ts';

export interface Logger {
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
}

/** The API request that is being executed; its id and key are named in the events it causes. */
export interface CurrentRequest {
  id: string;
  idempotencyKey: string | null;
}

/** All that the billing functions work on. */
export interface World {
  tables: Tables;
  clock: Clock;
  logger: Logger;
  /** Where the hosted pages live, e.g. `http://127.0.0.1:12111`. */
  publicUrl(): string;
  /** True if an event made now is to be delivered. */
  delivers(): boolean;
  currentRequest: CurrentRequest | null;
}
