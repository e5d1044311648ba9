import { createHash, randomUUID } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import { claimIdempotencyKey, releaseIdempotencyKey, rememberAnswer } from '@billing/store';
import type { Hold } from '@billing/store';
import type { z } from 'zod';
import type { AppDeps } from '../deps.ts';

type Deps = Pick<AppDeps, 'database' | 'clock' | 'logger'>;

/** The value of `Idempotency-Key`, if one was sent. Throws `invalid_request`. */
export function parseIdempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header)) return header;
  throw new ServiceError(
    'invalid_request',
    'Send an Idempotency-Key of 1 to 255 printable ASCII characters, such as a UUID.',
    {
      errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' }],
    },
  );
}

export type OnceRequest<T extends z.ZodType> = {
  projectId: string;
  /** Null: no key was sent, and the request is carried out. */
  key: string | null;
  /** The parsed body. */
  body: unknown;
  /** Reads a remembered answer. */
  answerSchema: T;
};

/**
 * Carries a request out once per project and idempotency key. Only a success is remembered; after anything else the
 * key is free. `run` gets the seed of the idempotency keys that it sends to Stripe. The seed is the same where the
 * first process crashed, and another one after a failure, which Stripe would repeat.
 */
export async function answerOnce<T extends z.ZodType>(
  deps: Deps,
  request: OnceRequest<T>,
  run: (stripeKeySeed: string) => Promise<z.output<T>>,
): Promise<z.output<T>> {
  const { projectId, key, body, answerSchema } = request;
  if (key === null) return run(randomUUID());
  const requestHash = createHash('sha256').update(canonicalJson(body)).digest();
  const claim = await claimIdempotencyKey(deps.database, {
    projectId,
    key,
    requestHash: new Uint8Array(requestHash),
    now: deps.clock(),
  });
  if (claim.outcome === 'answered') return answerSchema.parse(claim.response);
  if (claim.outcome === 'conflict')
    throw new ServiceError('idempotency_conflict', 'Use another Idempotency-Key for another request.');
  if (claim.outcome === 'in_progress')
    throw new ServiceError(
      'idempotency_in_progress',
      'Wait for the first answer, or ask again in a moment.',
      {
        retryable: true,
        retryAfterSeconds: 1,
      },
    );
  const seed = JSON.stringify([projectId, key, requestHash.toString('hex'), claim.hold.createdAt.getTime()]);
  return finish(deps, claim.hold, () => run(seed));
}

async function finish<T>(deps: Deps, hold: Hold, run: () => Promise<T>): Promise<T> {
  const { database, clock, logger } = deps;
  let response: T;
  try {
    response = await run();
  } catch (error) {
    await releaseIdempotencyKey(database, hold).catch((cause: unknown) =>
      logger.warn('idempotency_key_not_released', { error: cause }),
    );
    throw error;
  }
  // If this fails the key stays claimed for some seconds; a request after that gets the same session from Stripe.
  await rememberAnswer(database, { hold, response, now: clock() }).catch((cause: unknown) =>
    logger.warn('idempotency_answer_not_remembered', { error: cause }),
  );
  return response;
}

/** JSON that does not depend on the order of an object's keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
