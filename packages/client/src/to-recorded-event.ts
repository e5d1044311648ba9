import { idProblems, refusedHere } from './require-ids.ts';
import { createIdempotencyKey } from './retry.ts';
import type { UsageEvent } from './usage-wire.ts';
import type { FieldProblem } from './wire.ts';

/** What happened, as `UsageEvent`; an id and the time are added where they are absent. */
export type RecordedUsage = Omit<UsageEvent, 'mode' | 'event_id'> & { event_id?: string | undefined };

const maxIdCharacters = 256;
const maxQuantity = 1e12;
const maxPropertiesBytes = 2_048;

/** Throws `invalid_request` for what is no JSON; and the caller may change its object later. */
function copyOf(usage: RecordedUsage): RecordedUsage {
  try {
    return JSON.parse(JSON.stringify(usage));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'it cannot be written';
    throw refusedHere([{ path: 'properties', message: `must be JSON: ${message}` }]);
  }
}

const isTooLong = (value: unknown): boolean =>
  typeof value === 'string' && value.length > maxIdCharacters && Array.from(value).length > maxIdCharacters;

function quantityProblem(quantity: unknown, isCorrection: boolean): string | null {
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity === 0)
    return 'must be a whole number that is not 0';
  if (Math.abs(quantity) > maxQuantity) return `must lie within ±${maxQuantity}`;
  return isCorrection && quantity > 0 ? 'must be negative with corrects' : null;
}

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/** What the service would refuse for good, as far as it can be told here: each event that is kept is small. */
function problemsOf(usage: RecordedUsage): FieldProblem[] {
  const { user_id, feature_code, event_id, corrects, quantity = 1, timestamp, properties } = usage;
  const ids = {
    user_id,
    feature_code,
    ...(event_id === undefined ? {} : { event_id }),
    ...(corrects === undefined ? {} : { corrects }),
  };
  const ofQuantity = quantityProblem(quantity, corrects !== undefined);
  return [
    ...idProblems(ids),
    ...Object.entries(ids)
      .filter(([, value]) => isTooLong(value))
      .map(([path]) => ({ path, message: `must have at most ${maxIdCharacters} characters` })),
    ...(ofQuantity === null ? [] : [{ path: 'quantity', message: ofQuantity }]),
    ...(timestamp === undefined || !Number.isNaN(Date.parse(timestamp))
      ? []
      : [{ path: 'timestamp', message: 'must be a time such as 2026-11-22T10:00:00Z' }]),
    ...(properties === undefined || bytesOf(properties) <= maxPropertiesBytes
      ? []
      : [{ path: 'properties', message: `must have at most ${maxPropertiesBytes} bytes as JSON` }]),
  ];
}

/**
 * The event that is sent, now and again: its id and time are fixed here. Throws `invalid_request` for what could never be
 * stored, before it holds up others.
 */
export function toRecordedEvent(usage: RecordedUsage): UsageEvent {
  // Before it is copied: JSON makes null of a quantity that is no number.
  const { user_id, feature_code, quantity, corrects, properties } = usage;
  const event_id = usage.event_id ?? createIdempotencyKey();
  const timestamp = usage.timestamp ?? new Date().toISOString();
  const fields = {
    user_id,
    feature_code,
    event_id,
    timestamp,
    ...(quantity === undefined ? {} : { quantity }),
    ...(corrects === undefined ? {} : { corrects }),
    ...(properties === undefined ? {} : { properties }),
  };
  const copy = copyOf(fields);
  const problems = problemsOf({ ...copy, ...(quantity === undefined ? {} : { quantity }) });
  if (problems.length > 0) throw refusedHere(problems);
  return { ...copy, event_id, timestamp, mode: 'record' };
}
