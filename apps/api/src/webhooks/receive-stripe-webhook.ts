import { isHandledEventType, projectEvent, ServiceError, toTimestamp } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import express from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { noteForAccessLog } from '../http/observe-requests.ts';
import { parsePayload } from './parse-payload.ts';
import type { Payload } from './parse-payload.ts';
import { verifySignature } from './verify-signature.ts';

export type WebhookDeps = Pick<AppDeps, 'stripe' | 'clock' | 'config' | 'stripeEvents' | 'metrics'>;

const maxBytes = 1024 * 1024;
/** Stripe is answered within five seconds, whatever the queue does. */
const enqueueDeadlineMs = 3_000;
const bodyDeadlineMs = 1_500;

const parseRaw = express.raw({ type: () => true, limit: maxBytes, inflate: false });

/** The body as it came: a signature is over bytes, whatever the content type says. */
async function readRaw(request: Request, response: Response): Promise<Buffer> {
  const read = new Promise<void>((resolve, reject) => {
    parseRaw(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error('the body could not be read'));
    });
  });
  await withDeadline(read, {
    ms: bodyDeadlineMs,
    onTimeout: () => new ServiceError('invalid_payload', 'Send the whole body without a pause.'),
  });
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

async function readSigned(deps: WebhookDeps, request: Request, response: Response): Promise<Payload> {
  const body = await readRaw(request, response);
  verifySignature(deps, request, body);
  return parsePayload(body);
}

/** Without what Express's `json` does besides. */
function sendReceived(response: Response, eventId: string): void {
  const text = JSON.stringify({ received: true, event_id: eventId });
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

type Outcome = 'enqueued' | 'duplicate' | 'unhandled';

/** Returns once BullMQ has the job: a 2xx means that the event will take effect. */
async function accept(deps: WebhookDeps, payload: Payload): Promise<{ type: string; outcome: Outcome }> {
  const { id } = payload;
  // Only known types become label values: anything else would let them grow without bound.
  if (payload.isThin || !isHandledEventType(payload.type)) return { type: 'other', outcome: 'unhandled' };
  const { type, event } = payload;
  const added = await deps.stripeEvents.add(
    { name: type, jobId: id, data: { event: projectEvent(event), received_at: toTimestamp(deps.clock()) } },
    { deadlineMs: enqueueDeadlineMs },
  );
  return { type, outcome: added === 'added' ? 'enqueued' : 'duplicate' };
}

/** `POST /api/v1/webhooks/stripe`: verify, enqueue, answer. No database, no call to Stripe. */
export function receiveStripeWebhook(deps: WebhookDeps): RequestHandler {
  const received = deps.metrics.webhookEventsReceived;
  return async (request, response) => {
    try {
      const payload = await readSigned(deps, request, response);
      const { type, outcome } = await accept(deps, payload);
      received.inc({ type, outcome });
      noteForAccessLog(response, { event_id: payload.id, type, outcome });
      sendReceived(response, payload.id);
    } catch (error) {
      received.inc({ type: 'unknown', outcome: 'rejected' });
      throw error;
    }
  };
}
