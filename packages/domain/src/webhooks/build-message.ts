import type { EntitlementsAnswer } from '../contracts/entitlements.ts';
import { toTimestamp } from '../time.ts';
import type { Instant } from '../time.ts';
import type { ChangeMessage } from './decide-telling.ts';

/** The texts that are sent; `thin` null: only the full form exists. */
export type MessageBody = { type: string; full: string; thin: string | null };

const mostBytes = 256 * 1024;

const isTooLong = (text: string): boolean => new TextEncoder().encode(text).length > mostBytes;

/** The message about a user's new state. Over 256 KB the full form is the thin one, and says so. */
export function buildEntitlementsChanged(answer: EntitlementsAnswer, message: ChangeMessage): MessageBody {
  const type = 'entitlements.changed';
  const { as_of: timestamp, valid_until: validUntil, entitlements } = answer;
  const told = {
    project_id: answer.project_id,
    user_id: answer.user_id,
    version: message.version,
    previous_version: message.previousVersion,
  };
  const { causes, changes } = message;
  const state = { causes, changes, entitlements, as_of: timestamp, valid_until: validUntil };
  const full = JSON.stringify({ type, timestamp, data: { ...told, ...state } });
  return {
    type,
    full: isTooLong(full) ? JSON.stringify({ type, truncated: true, timestamp, data: told }) : full,
    thin: JSON.stringify({ type, timestamp, data: told }),
  };
}

export function buildCatalogChanged(
  { projectId, version }: { projectId: string; version: number },
  now: Instant,
): MessageBody {
  const type = 'catalog.changed';
  const data = { project_id: projectId, version };
  return { type, full: JSON.stringify({ type, timestamp: toTimestamp(now), data }), thin: null };
}

/** A threshold (null: the limit) that was reached, as its mark keeps it. */
export type ToldCrossing = {
  feature_code: string;
  threshold: number | null;
  used: number;
  granted: number;
  source: string;
  source_id: string;
  period_start: string | null;
  period_end: string | null;
  usage_seq: number;
};

/** `timestamp`: when it was reached. */
export function buildUsageMessage(
  { projectId, userId }: { projectId: string; userId: string },
  { threshold, ...crossing }: ToldCrossing,
  at: Instant,
): MessageBody {
  const type = threshold === null ? 'usage.limit_reached' : 'usage.threshold_reached';
  const owner = { project_id: projectId, user_id: userId };
  const data = { ...owner, ...(threshold === null ? {} : { threshold }), ...crossing };
  return { type, full: JSON.stringify({ type, timestamp: toTimestamp(at), data }), thin: null };
}

/** Whether an endpoint wants messages of a type. */
export const wantsType = (eventTypes: readonly string[], type: string): boolean =>
  eventTypes.includes('*') || eventTypes.includes(type);
