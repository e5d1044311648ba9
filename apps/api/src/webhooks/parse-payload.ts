import { stripeEventId } from '@billing/domain';
import { ServiceError } from '@billing/domain';
import { z } from 'zod';

const snapshotEvent = z.looseObject({
  id: stripeEventId,
  type: z.string().min(1),
  data: z.looseObject({ object: z.looseObject({}) }),
});

/** A thin event: it names what happened, but carries no object. */
const thinEvent = z.looseObject({ object: z.literal('v2.core.event'), id: z.string().min(1) });

export type Payload =
  { isThin: false; event: z.output<typeof snapshotEvent> } | { isThin: true; eventId: string };

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
export function parsePayload(body: Buffer): Payload {
  const json = parseJson(body);
  const thin = thinEvent.safeParse(json);
  if (thin.success) return { isThin: true, eventId: thin.data.id };
  const event = snapshotEvent.safeParse(json);
  if (!event.success) throw noEvent();
  return { isThin: false, event: event.data };
}
