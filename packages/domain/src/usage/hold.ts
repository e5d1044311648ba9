import type { Account } from './account.ts';
import { quantityOf } from './assess.ts';
import { finishChange, joinChanges, noChange } from './change.ts';
import type { UsageChange } from './change.ts';
import { commitEvent } from './commit-event.ts';
import { refusal } from './commands.ts';
import type { Refusal, Reservation } from './commands.ts';
import type { UsageReason } from './reasons.ts';
import { addHeld } from './usage-state.ts';
import type { Part } from './usage-state.ts';

export type ReservationDecision =
  | { kind: 'reservation'; reservation: Reservation; change: UsageChange }
  | { kind: 'denied'; reason: UsageReason; quantity: number; expiresAt: number }
  | Refusal;

export const closed = (now: Reservation['state']): Refusal =>
  refusal('reservation_closed', `Use a new reservation: this one is ${now}.`);

/** What is held is free again. */
export function letGo(account: Account, { parts }: Reservation): UsageChange {
  const { state } = account;
  const released = {
    ...state,
    usageSeq: state.usageSeq + 1,
    buckets: addHeld(state.buckets, parts, -1),
    openHolds: state.openHolds - 1,
    holdsDueAt: state.openHolds === 1 ? null : state.holdsDueAt,
  };
  return { ...noChange(account), ...finishChange(account, released, { parts: [] }) };
}

export const withReservation = (change: UsageChange, reservation: Reservation): ReservationDecision => ({
  kind: 'reservation',
  reservation,
  change: { ...change, reservations: [reservation] },
});

/** An event of a reservation; none where nothing was taken or given back. */
export function commitParts(
  account: Account,
  reservation: Reservation,
  { parts, ...more }: { parts: Part[]; at?: number; uncovered?: number },
): UsageChange {
  if (parts.length === 0) return noChange(account);
  const { reservationId: eventId, reason, body } = reservation;
  return commitEvent(account, {
    kind: 'reservation',
    eventId,
    quantity: quantityOf(parts),
    reason,
    body,
    parts,
    ...more,
  });
}

export const isDue = ({ state, expiresAt }: Reservation, now: number): boolean =>
  state === 'held' && expiresAt <= now;

/** What the clock does to a reservation that nobody confirmed or released in time. */
export function expireReservation(account: Account, reservation: Reservation): UsageChange {
  const released = letGo(account, reservation);
  const { onExpiry, expiresAt, parts } = reservation;
  if (onExpiry === 'release') return { ...released, reservations: [{ ...reservation, state: 'expired' }] };
  const charged = commitParts(released.account, reservation, { parts: [...parts], at: expiresAt });
  return joinChanges(released, { ...charged, reservations: [{ ...reservation, state: 'charged' }] });
}

/** Lets the reservations go that are due, oldest first. `nextDueAt`: when the next of the others is. */
export function expireDue(
  account: Account,
  due: readonly Reservation[],
  nextDueAt: number | null,
): UsageChange {
  const change = due
    .filter((one) => isDue(one, account.offer.input.now))
    .toSorted((a, b) => a.expiresAt - b.expiresAt)
    .reduce((so_far, one) => joinChanges(so_far, expireReservation(so_far.account, one)), noChange(account));
  const { state } = change.account;
  return { ...change, account: { ...change.account, state: { ...state, holdsDueAt: nextDueAt } } };
}
