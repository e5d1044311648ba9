import { currentBuckets } from './account.ts';
import type { Account } from './account.ts';
import { assessTake, firstOf, giveBack, givenBackBefore, ifLeft, takeAnyway } from './assess.ts';
import { joinChanges, noChange } from './change.ts';
import { refusal } from './commands.ts';
import type { ConfirmCommand, Reservation } from './commands.ts';
import { closed, commitParts, letGo, withReservation } from './hold.ts';
import type { ReservationDecision } from './hold.ts';
import { isAllowed } from './reasons.ts';
import type { Part } from './usage-state.ts';

/** More than is held: from what is free now, by the same rules as other usage. Null: not allowed. */
function overrunOf(
  account: Account,
  quantity: number,
  overrun: ConfirmCommand['overrun'],
): { parts: readonly Part[]; uncovered: number } | null {
  if (quantity <= 0) return { parts: [], uncovered: 0 };
  const buckets = currentBuckets(account);
  if (overrun === 'record') return takeAnyway(buckets, quantity);
  const { reason, parts } = assessTake(account, buckets, quantity);
  return isAllowed(reason) ? { parts, uncovered: 0 } : null;
}

const notEnough = refusal(
  'insufficient_balance',
  'Confirm at most what is held, or with `overrun: record`: there is not enough for more.',
);

/** Of what is held as much as was used stays taken from its own buckets, the rest is free again. */
function confirmHeld(
  account: Account,
  reservation: Reservation,
  command: ConfirmCommand,
): ReservationDecision {
  const quantity = command.quantity ?? reservation.quantity;
  const own = firstOf(reservation.parts, quantity);
  const released = letGo(account, reservation);
  // What is beyond the hold is assessed as if the hold were taken already.
  const taken = commitParts(released.account, reservation, { parts: own });
  const more = overrunOf(taken.account, quantity - reservation.quantity, command.overrun);
  if (more === null) return notEnough;
  const parts = [...own, ...more.parts];
  const committed = commitParts(released.account, reservation, { parts, uncovered: more.uncovered });
  return withReservation(joinChanges(released, committed), {
    ...reservation,
    state: 'confirmed',
    parts,
    confirmed: { quantity, late: false },
  });
}

/** What was held is free again by then, or taken by others: it happened all the same. */
function confirmExpired(
  account: Account,
  reservation: Reservation,
  command: ConfirmCommand,
): ReservationDecision {
  const quantity = command.quantity ?? reservation.quantity;
  const own = takeAnyway(currentBuckets(account), Math.min(quantity, reservation.quantity));
  const taken = commitParts(account, reservation, { parts: own.parts });
  const more = overrunOf(taken.account, quantity - reservation.quantity, command.overrun);
  if (more === null) return notEnough;
  const parts = [...own.parts, ...more.parts];
  const uncovered = own.uncovered + more.uncovered;
  return withReservation(commitParts(account, reservation, { parts, uncovered }), {
    ...reservation,
    state: 'confirmed',
    parts,
    confirmed: { quantity, late: true },
  });
}

/** Replaces what was charged at expiry by what was used. */
function confirmCharged(
  account: Account,
  reservation: Reservation,
  command: ConfirmCommand,
): ReservationDecision {
  const quantity = command.quantity ?? reservation.quantity;
  const more = overrunOf(account, quantity - reservation.quantity, command.overrun);
  if (more === null) return notEnough;
  const back = giveBack(reservation.parts, Math.max(0, reservation.quantity - quantity)).parts;
  const given = ifLeft(account.state.buckets, back);
  if (given === null) return givenBackBefore;
  const change = commitParts(account, reservation, {
    parts: [...given, ...more.parts],
    uncovered: more.uncovered,
  });
  return withReservation(change, {
    ...reservation,
    state: 'confirmed',
    parts: [...firstOf(reservation.parts, quantity), ...more.parts],
    confirmed: { quantity, late: true },
  });
}

/** What was used of a reservation, whatever became of it by then. */
export function confirm(
  account: Account,
  reservation: Reservation,
  command: ConfirmCommand,
): ReservationDecision {
  switch (reservation.state) {
    case 'held':
      return confirmHeld(account, reservation, command);
    case 'expired':
      return confirmExpired(account, reservation, command);
    case 'charged':
      return confirmCharged(account, reservation, command);
    case 'confirmed':
      return reservation.confirmed?.quantity === (command.quantity ?? reservation.quantity)
        ? { kind: 'reservation', reservation, change: noChange(account) }
        : closed('confirmed');
    case 'released':
      return closed('released');
  }
}
