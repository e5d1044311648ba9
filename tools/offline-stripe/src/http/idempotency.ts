import { createHash } from 'node:crypto';

import { StripeApiError } from '../errors.ts';
import type { IdempotentAnswer } from '../state/private-rows.ts';
import type { World } from '../world.ts';

const keptMs = 24 * 3_600_000;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export type KeyedRequest = {
  apiKey: string;
  key: string;
  method: string;
  path: string;
  rawBody: string;
};

export type IdempotencyStore = {
  /** The remembered answer, or null after reserving the key; throws where the key is misused. */
  begin(request: KeyedRequest): IdempotentAnswer | null;
  /** Remembers the answer, or frees the key where nothing was executed. */
  end(request: KeyedRequest, answer: { status: number; body: string; requestId: string } | null): void;
};

function idOf(request: KeyedRequest): string {
  return digest(`${request.apiKey}\n${request.key}`);
}

function fingerprintOf(request: KeyedRequest): string {
  return digest(`${request.method} ${request.path}\n${request.rawBody}`);
}

/** Stripe's rules: for a day the same key gets the same answer, also a 500; other parameters are refused. */
export function createIdempotencyStore(world: World): IdempotencyStore {
  const running = new Set<string>();
  return {
    begin: (request) => {
      const id = idOf(request);
      if (request.key.length > 255) {
        throw new StripeApiError({
          status: 400,
          message: 'Idempotency keys can only be up to 255 characters long.',
        });
      }
      if (running.has(id)) {
        throw new StripeApiError({
          status: 409,
          type: 'idempotency_error',
          code: 'idempotency_key_in_use',
          message:
            'There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through).',
        });
      }
      const known = world.tables.idempotentAnswers.get(id);
      if (known !== undefined && Date.now() - known.at_ms < keptMs) {
        if (known.fingerprint === fingerprintOf(request)) return known;
        throw new StripeApiError({
          status: 400,
          type: 'idempotency_error',
          message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${request.key}' if you meant to execute a different request.`,
        });
      }
      running.add(id);
      return null;
    },
    end: (request, answer) => {
      const id = idOf(request);
      running.delete(id);
      if (answer === null) return;
      world.tables.idempotentAnswers.insert({
        id,
        fingerprint: fingerprintOf(request),
        status: answer.status,
        body: answer.body,
        request_id: answer.requestId,
        at_ms: Date.now(),
      });
    },
  };
}
