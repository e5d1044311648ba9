import { earliest } from '../time.ts';
import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import { assessTake } from './assess.ts';
import { finishChange, joinChanges, noChange } from './change.ts';
import { bodyOf, refusal } from './commands.ts';
import type { Reservation, ReservationCommand, ReserveCommand } from './commands.ts';
import { confirm } from './confirm-reservation.ts';
import { closed, expireReservation, isDue, letGo, withReservation } from './hold.ts';
import type { ReservationDecision } from './hold.ts';
import { isAllowed } from './reasons.ts';
import { addHeld } from './usage-state.ts';

/** Of one user and feature. */
export const mostOpenHolds = 1_000;

function reserve(account: Account, command: ReserveCommand, known: Reservation | null): ReservationDecision {
  const { userId, offer, state } = account;
  const { now, feature, featureCode } = offer.input;
  const body = bodyOf(userId, featureCode, command);
  if (known !== null)
    return known.body === body
      ? { kind: 'reservation', reservation: known, change: noChange(account) }
      : refusal('reservation_conflict', 'Send another `reservation_id`: this one was used for another.');
  if (feature.kind !== 'metered')
    return refusal('feature_not_metered', 'Name a metered feature: only these can be reserved.');
  if (state.openHolds >= mostOpenHolds)
    return refusal('too_many_reservations', `Confirm or release some: ${mostOpenHolds} are open.`);
  const { reservationId, quantity, onExpiry } = command;
  const expiresAt = now + command.expiresInMs;
  const { reason, parts } = assessTake(account, currentBuckets(account), quantity);
  if (!isAllowed(reason)) return { kind: 'denied', reason, quantity, expiresAt };
  const held = {
    ...state,
    usageSeq: state.usageSeq + 1,
    buckets: addHeld(state.buckets, parts, 1),
    openHolds: state.openHolds + 1,
    holdsDueAt: earliest(state.holdsDueAt, expiresAt),
  };
  return withReservation(
    { ...noChange(account), ...finishChange(account, held, { parts }) },
    {
      reservationId,
      userId,
      featureCode,
      quantity,
      parts,
      onExpiry,
      createdAt: now,
      expiresAt,
      state: 'held',
      reason,
      confirmed: null,
      body,
    },
  );
}

function release(account: Account, reservation: Reservation): ReservationDecision {
  switch (reservation.state) {
    case 'held':
      return withReservation(letGo(account, reservation), { ...reservation, state: 'released' });
    case 'expired':
      return withReservation(noChange(account), { ...reservation, state: 'released' });
    case 'released':
      return { kind: 'reservation', reservation, change: noChange(account) };
    case 'confirmed':
    case 'charged':
      return closed(reservation.state);
  }
}

/** Decides what is asked of a reservation. `known`: its row, if there is one; expiry is decided by the clock first. */
export function decideReservation(
  account: Account,
  command: ReservationCommand,
  known: Reservation | null,
): ReservationDecision {
  if (known !== null && isDue(known, account.offer.input.now)) {
    const expired = expireReservation(account, known);
    const [row = known] = expired.reservations;
    const decided = decideReservation(expired.account, command, row);
    if (decided.kind !== 'reservation') return decided;
    const change = joinChanges(expired, decided.change);
    return { ...decided, change };
  }
  if (command.kind === 'reserve') return reserve(account, command, known);
  const isOurs = known?.userId === account.userId && known.featureCode === account.offer.input.featureCode;
  if (known === null || !isOurs)
    return refusal('reservation_not_found', 'Use the id of a reservation that was made and not denied.');
  return command.kind === 'confirm' ? confirm(account, known, command) : release(account, known);
}
