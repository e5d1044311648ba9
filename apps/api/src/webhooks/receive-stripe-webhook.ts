import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  anyObject,
  isHandledEventType,
  projectEvent,
  ServiceError,
  stripeEventId,
  toTimestamp,
  webhookRequest,
  webhookResponse,
} from '@billing/domain';
import { traceFields, withLogContext } from '@billing/platform';
import { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import { defineEndpoint } from '../http/define-endpoint.ts';
import type { FailureHandler } from '../http/handle-failure.ts';
import type { Observer } from '../http/observe-requests.ts';
import { createBodyReader } from './read-body.ts';
import type { BodyReader } from './read-body.ts';
import { requireSignature, signatureFailures, verifySignature } from './verify-signature.ts';

export const receiveStripeWebhook = defineEndpoint({
  method: 'post',
  path: '/api/v1/webhooks/stripe',
  operationId: 'receiveStripeWebhook',
  tag: 'Webhooks',
  summary: 'Take an event from Stripe',
  description:
    'The signature covers the exact bytes: at most 1 MiB, any content type, not compressed. 200 means that the event is in the queue and will take effect; a type that nobody handles is answered the same and dropped. Anything else that is signed, such as an empty body, is 400 `invalid_payload`.',
  access: 'stripe',
  body: {
    schema: webhookRequest,
    example: {
      id: 'evt_123',
      object: 'event',
      type: 'customer.subscription.updated',
      created: 1_795_341_600,
      livemode: false,
      data: { object: { id: 'sub_123', object: 'subscription', customer: 'cus_123', status: 'active' } },
    },
  },
  answers: [
    {
      status: 200,
      description: 'Taken.',
      schema: webhookResponse,
      example: { received: true, event_id: 'evt_123' },
    },
  ],
  errors: ['invalid_payload', 'queue_unavailable', 'service_unavailable'],
});

type WebhookDeps = Pick<AppDeps, 'stripe' | 'clock' | 'config' | 'stripeEvents' | 'metrics' | 'authFailures'>;

/** Stripe is answered within five seconds, whatever the queue does. */
const enqueueDeadlineMs = 3_000;

/** Only what must be there: the whole event is not copied. */
const snapshotEvent = z.object({
  id: stripeEventId,
  type: z.string().min(1),
  data: z.object({ object: anyObject }),
});

type Payload =
  | { isThin: false; id: string; type: string; event: Record<string, unknown> }
  /** A thin event: it names what happened, but carries no object. */
  | { isThin: true; id: string };

const noEvent = (): ServiceError =>
  new ServiceError('invalid_payload', 'Send an event of Stripe: an id, a type and an object in data.object.');

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw noEvent();
  }
}

/** Reads a signed body. Throws `invalid_payload` when it is no event. */
function parsePayload(body: Buffer): Payload {
  const whole = anyObject.safeParse(parseJson(body));
  if (!whole.success) throw noEvent();
  const { id, object } = whole.data;
  if (object === 'v2.core.event' && typeof id === 'string' && id !== '') return { isThin: true, id };
  const event = snapshotEvent.safeParse(whole.data);
  if (!event.success) throw noEvent();
  return { isThin: false, id: event.data.id, type: event.data.type, event: whole.data };
}

async function readSigned(
  deps: WebhookDeps & { readBody: BodyReader },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Payload> {
  const login = { area: 'webhooks', request, response } as const;
  const header = requireSignature(deps, login);
  const body = await deps.readBody(request);
  verifySignature(deps, login, { header, body });
  return parsePayload(body);
}

/** Sends the answer without the extra work of Express's `json`. */
function sendReceived(response: ServerResponse, eventId: string): void {
  const text = JSON.stringify({ received: true, event_id: eventId });
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

type Outcome = 'enqueued' | 'duplicate' | 'unhandled';

type Accepted = { event_id: string; type: string; outcome: Outcome };

/** Returns once BullMQ has the job: a 2xx means that the event will take effect. */
async function accept(deps: WebhookDeps, payload: Payload, traceId: string | undefined): Promise<Accepted> {
  const { id } = payload;
  // Only known types become label values: anything else would let them grow without bound.
  if (payload.isThin || !isHandledEventType(payload.type))
    return { event_id: id, type: 'other', outcome: 'unhandled' };
  const { type, event } = payload;
  const added = await deps.stripeEvents.add(
    {
      name: type,
      jobId: id,
      data: {
        event: projectEvent(event),
        received_at: toTimestamp(deps.clock()),
        ...traceFields(traceId),
      },
    },
    { deadlineMs: enqueueDeadlineMs },
  );
  return { event_id: id, type, outcome: added === 'added' ? 'enqueued' : 'duplicate' };
}

const route = (): string => receiveStripeWebhook.path;

/**
 * Verifies, enqueues, answers. No database, no call to Stripe. It stands before Express and does what the layers of the
 * app would do itself.
 */
export function createWebhookHandler(
  deps: WebhookDeps,
  { observe, handleFailure }: { observe: Observer; handleFailure: FailureHandler },
): RequestListener {
  const received = deps.metrics.webhookEventsReceived;
  // From the start, so that nobody from outside adds a series, and `increase` sees the first refusal.
  received.inc({ type: 'unknown', outcome: 'rejected' }, 0);
  for (const reason of signatureFailures) deps.metrics.webhookSignatureFailures.inc({ reason }, 0);
  const signedDeps = { ...deps, readBody: createBodyReader() };
  return (request, response) => {
    let accepted: Partial<Accepted> = {};
    const { trace_id: traceId } = observe(request, response, { route, noted: () => accepted });
    const answered = ({ event_id, type, outcome }: Accepted): void => {
      accepted = { event_id, type, outcome };
      received.inc({ type, outcome });
      sendReceived(response, event_id);
    };
    const handle = (): Promise<void> =>
      readSigned(signedDeps, request, response)
        .then((payload) => accept(deps, payload, traceId))
        .then(answered)
        .catch((error: unknown) => {
          received.inc({ type: 'unknown', outcome: 'rejected' });
          handleFailure(error, request, response);
        });
    // A log context costs a tenth of accepting an event: only what is traced has one.
    void (traceId === undefined ? handle() : withLogContext({ trace_id: traceId }, handle));
  };
}
