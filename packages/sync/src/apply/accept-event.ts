import { isHandledEventType, parseStripeEvent, projectEvent } from '@billing/domain';
import type { ParsedEvent } from '@billing/domain';
import { handlers } from './handlers.ts';
import type { QueuedEvent, Target } from './target.ts';

type Arrived = { raw: Record<string, unknown> & { id: string; type: string }; receivedAt: number };

/** Null: a type of event that this version of the worker does not know. */
export function acceptEvent(
  { raw, receivedAt }: Arrived,
  { mode }: { mode: 'live' | 'test' },
): QueuedEvent | null {
  if (!isHandledEventType(raw.type)) return null;
  const payload = projectEvent(raw);
  const parsed = parseStripeEvent(raw);
  if (!parsed.isEvent)
    return { event: unreadableEvent({ raw, receivedAt }), target: invalid, receivedAt, payload };
  const { event } = parsed;
  return { event, target: strangerOf(event, mode) ?? handlers[raw.type](event), receivedAt, payload };
}

const invalid: Target = { kind: 'none', status: 'quarantined', reason: 'invalid_object' };

/** Events of the other mode or of a connected account are somebody else's: recorded, never applied. */
function strangerOf(event: ParsedEvent, mode: 'live' | 'test'): Target | null {
  if (event.account !== null) return { kind: 'none', status: 'ignored', reason: 'other_account' };
  if (event.isLive !== null && event.isLive !== (mode === 'live'))
    return { kind: 'none', status: 'ignored', reason: 'other_mode' };
  return event.object.kind === 'invalid' ? invalid : null;
}

/** What can be said of an event whose envelope can't be read. */
export const unreadableEvent = ({ raw, receivedAt }: Arrived): ParsedEvent => ({
  id: raw.id,
  type: raw.type,
  created: receivedAt,
  isLive: null,
  account: null,
  apiVersion: null,
  objectId: null,
  customerId: null,
  object: { kind: 'other' },
});
