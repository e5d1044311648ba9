import type { Instant } from '../time.ts';
import type { UsageReason } from './reasons.ts';
import type { StorableJson } from './storable-json.ts';
import { addUsed } from './usage-state.ts';
import type { Part, UsageState } from './usage-state.ts';

export const usageEventKinds = ['usage', 'level', 'adjustment', 'reservation'] as const;
export type UsageEventKind = (typeof usageEventKinds)[number];

/** What an event does to a counted limit's level. */
export type LevelChange = { by: number } | { to: number; observedAt: Instant };

/** A row of usage: what was taken, when, and from which buckets. Rows are added, never changed but for `corrected`. */
export type UsageEvent = {
  userId: string;
  featureCode: string;
  /** Unique for a user and feature: the state's `usageSeq` after it. */
  usageSeq: number;
  kind: UsageEventKind;
  /** The client's id, unique in the project for `usage`, `level` and `adjustment`; of `reservation`, the reservation's. */
  eventId: string;
  mode: 'enforce' | 'record';
  quantity: number;
  /** When it happened. */
  at: Instant;
  recordedAt: Instant;
  /** The event that it corrects. */
  corrects: string | null;
  /** How much of it was corrected by later events: positive. */
  corrected: number;
  /** They sum to the quantity; none for a counted limit. */
  parts: readonly Part[];
  level: LevelChange | null;
  /** What `enforce` said, or would have said. */
  allowed: boolean;
  reason: UsageReason;
  /** The request as one text, with defaults: the same id with another text is a conflict. */
  body: string;
  properties: StorableJson | null;
};

/**
 * The state after the event: usage is the sum of all events' parts (invariant "states = fold(events)"). What buckets
 * were worth, what was told and what is held are not of events.
 */
export function foldEvent(state: UsageState, event: UsageEvent): UsageState {
  const { level } = event;
  const folded = { ...state, usageSeq: event.usageSeq, buckets: addUsed(state.buckets, event.parts) };
  if (level === null) return folded;
  if ('by' in level) return { ...folded, level: state.level + level.by };
  return { ...folded, level: level.to, levelObservedAt: level.observedAt };
}
