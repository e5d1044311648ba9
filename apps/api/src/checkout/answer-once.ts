import { createHash, randomUUID } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import {
  claimIdempotencyKey,
  keepStripeRequest,
  releaseForRetry,
  releaseIdempotencyKey,
  rememberAnswer,
} from '@billing/store';
import type { Hold } from '@billing/store';
import { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import { isOutcomeKnown } from './call-stripe.ts';

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

/** A request to Stripe, with the idempotency key that makes a repetition harmless. */
const stripeRequest = z.object({
  idempotencyKey: z.string(),
  params: z.record(z.string(), z.unknown()),
  /** Of a checkout: what tells it from another one (`requestHashOf`). Absent: an older version of the service asked. */
  requestHash: z.string().optional(),
});
export type StripeRequest = z.output<typeof stripeRequest>;

/** What is stored: `seed` tells the request from that of another body under the same key. */
const storedRequest = stripeRequest.extend({ seed: z.string() });

/** One try of a request. */
export type Try = {
  /** Of the idempotency keys that are sent to Stripe. */
  stripeKeySeed: string;
  /** What an earlier try asked of Stripe without learning its outcome: to be asked again as it is. */
  unanswered: StripeRequest | null;
  /** To be called before Stripe is asked for what must not be made twice. */
  willAsk: (request: StripeRequest) => Promise<void>;
};

/**
 * Carries a request out once per project and idempotency key. Only a success is remembered; after anything else the
 * key is free. Where it is not known what Stripe did (no answer, a cut one, a crash), the next try of the same request
 * asks Stripe the same again: the same key, the same parameters. After an answer there is a new seed, as Stripe would
 * repeat the answer to the old one.
 */
export async function answerOnce<T extends z.ZodType>(
  deps: Deps,
  request: OnceRequest<T>,
  run: (once: Try) => Promise<z.output<T>>,
): Promise<z.output<T>> {
  const { projectId, key, body, answerSchema } = request;
  if (key === null)
    return run({ stripeKeySeed: randomUUID(), unanswered: null, willAsk: () => Promise.resolve() });
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
  if (claim.outcome === 'in_progress') throw inProgress();
  const { hold } = claim;
  const seed = JSON.stringify([projectId, key, requestHash.toString('hex'), hold.createdAt.getTime()]);
  const stored = storedRequest.safeParse(claim.stripeRequest).data;
  const unanswered = stored?.seed === seed ? stripeRequest.parse(stored) : null;
  return finish(deps, { hold, seed, unanswered }, run);
}

type Claimed = { hold: Hold; seed: string; unanswered: StripeRequest | null };

async function finish<T>(
  deps: Deps,
  { hold, seed, unanswered }: Claimed,
  run: (once: Try) => Promise<T>,
): Promise<T> {
  const { database, clock, logger } = deps;
  let wasAsked = unanswered !== null;
  const willAsk = async (asked: StripeRequest): Promise<void> => {
    if (!(await keepStripeRequest(database, { hold, stripeRequest: { ...asked, seed } }))) throw inProgress();
    wasAsked = true;
  };
  let response: T;
  try {
    response = await run({ stripeKeySeed: seed, unanswered, willAsk });
  } catch (error) {
    const release =
      wasAsked && !isOutcomeKnown(error)
        ? releaseForRetry(database, { hold, now: clock() })
        : releaseIdempotencyKey(database, hold);
    await release.catch((cause: unknown) => logger.warn('idempotency_key_not_released', { error: cause }));
    throw error;
  }
  // If this fails the key stays claimed for some seconds; a request after that gets the same session from Stripe.
  await rememberAnswer(database, { hold, response, now: clock() }).catch((cause: unknown) =>
    logger.warn('idempotency_answer_not_remembered', { error: cause }),
  );
  return response;
}

const inProgress = (): ServiceError =>
  new ServiceError('idempotency_in_progress', 'Wait for the first answer, or ask again in a moment.', {
    retryable: true,
    retryAfterSeconds: 1,
  });

/** JSON that does not depend on the order of an object's keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
