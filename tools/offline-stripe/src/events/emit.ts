import { isDeepStrictEqual } from 'node:util';

import { newId } from '../ids.ts';
import { apiVersion, type StoredEvent } from '../stripe-objects.ts';
import type { World } from '../world.ts';

/** The top-level fields that changed, with their former values: what Stripe calls `previous_attributes`. */
function changedFields(before: object, after: object): Record<string, unknown> {
  const later = new Map<string, unknown>(Object.entries(after));
  const changed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(before)) {
    if (!isDeepStrictEqual(value, later.get(key))) changed[key] = value;
  }
  return changed;
}

/** Records an event and, unless deliveries are off, queues it for the webhook receiver. */
export function emit(world: World, type: string, object: object): void {
  record(world, type, { object });
}

/** The same for a change, with what it changed. */
export function emitChange(world: World, type: string, { before, after }: Change): void {
  record(world, type, { object: after, previous_attributes: changedFields(before, after) });
}

type Change = { before: object; after: object };

function record(world: World, type: string, data: StoredEvent['data']): void {
  const delivers = world.delivers();
  const event: StoredEvent = {
    id: newId('evt'),
    object: 'event',
    api_version: apiVersion,
    created: world.clock.now(),
    data,
    livemode: false,
    pending_webhooks: delivers ? 1 : 0,
    request: {
      id: world.currentRequest?.id ?? null,
      idempotency_key: world.currentRequest?.idempotencyKey ?? null,
    },
    type,
  };
  world.tables.events.insert(event);
  if (delivers) queueDelivery(world, event.id);
}

/** Queues one delivery of an event, to be tried at once. */
export function queueDelivery(world: World, eventId: string): void {
  const nowMs = Date.now();
  world.tables.deliveries.insert({
    id: newId('whd'),
    event_id: eventId,
    attempts: 0,
    first_attempt_at_ms: nowMs,
    next_attempt_at_ms: nowMs,
  });
}
