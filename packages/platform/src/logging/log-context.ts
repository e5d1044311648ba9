import { AsyncLocalStorage } from 'node:async_hooks';

type Fields = Readonly<Record<string, unknown>>;

// One store for the process by nature: it follows the call chain, and no caller could hand it down.
const storage = new AsyncLocalStorage<Fields>();

/** Runs `run` so that everything logged inside carries `fields` (such as request_id), added to those already in force. */
export function withLogContext<T>(fields: Fields, run: () => T): T {
  return storage.run({ ...storage.getStore(), ...fields }, run);
}

/** The fields in force here; empty outside any context. */
export function logContext(): Fields {
  return storage.getStore() ?? {};
}
