import { anyObject, ServiceError, stripeEventId } from '@billing/domain';
import { z } from 'zod';

/** Only what must be there: the whole event is not copied. */
const snapshotEvent = z.object({
  id: stripeEventId,
  type: z.string().min(1),
  data: z.object({ object: anyObject }),
});

export type Payload =
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
export function parsePayload(body: Buffer): Payload {
  const whole = anyObject.safeParse(parseJson(body));
  if (!whole.success) throw noEvent();
  const { id, object } = whole.data;
  if (object === 'v2.core.event' && typeof id === 'string' && id !== '') return { isThin: true, id };
  const event = snapshotEvent.safeParse(whole.data);
  if (!event.success) throw noEvent();
  return { isThin: false, id: event.data.id, type: event.data.type, event: whole.data };
}
