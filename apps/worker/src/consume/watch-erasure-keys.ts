import { withDeadline } from '@billing/platform';
import { findMissingErasureKeys } from '@billing/store';
import type { SyncDeps } from '@billing/sync';
import type { Consumer } from './create-consumer.ts';

type Deps = Pick<SyncDeps, 'database' | 'erasureKeys' | 'logger'>;

const startMs = 2_000;

/** Whether users were erased with a key that this process lacks; false while Postgres is away. */
export function lacksErasureKey({ database, erasureKeys }: Deps): Promise<boolean> {
  return withDeadline(findMissingErasureKeys(database, erasureKeys), {
    ms: startMs,
    onTimeout: () => new Error('Postgres did not answer in time.'),
  }).then(
    (missing) => missing.length > 0,
    () => false,
  );
}

/**
 * Takes no jobs while users were erased with a key that this process lacks: it could not tell whom an event would bring back.
 * Until this is noticed, such an event is put off (`ErasureKeyMissing`).
 */
export function createKeyWatch(
  deps: Deps,
  consumer: Pick<Consumer, 'hold' | 'release'>,
): () => Promise<'rest'> {
  let lacked = '';
  return async () => {
    const missing = (await findMissingErasureKeys(deps.database, deps.erasureKeys)).join(', ');
    if (missing === '') consumer.release();
    else consumer.hold();
    if (missing !== lacked && missing !== '') deps.logger.error('erasure_key_missing', { key_ids: missing });
    lacked = missing;
    return 'rest';
  };
}
