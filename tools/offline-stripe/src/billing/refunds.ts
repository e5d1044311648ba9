import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { refundObject } from '../objects/money-back.ts';
import type { Charge, Metadata, Refund } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export interface NewRefund {
  amount: number | null;
  reason: Refund['reason'];
  metadata: Metadata;
}

/** Gives back a charge, whole (amount null: what is left) or in part. */
export function refundCharge(world: World, charge: Charge, fields: NewRefund): Refund {
  const left = charge.amount - charge.amount_refunded;
  if (charge.status !== 'succeeded')
    throw invalid('This charge has not succeeded and cannot be refunded.', 'charge');
  if (charge.refunded || left === 0) {
    throw invalid(`Charge ${charge.id} has already been refunded.`, undefined, 'charge_already_refunded');
  }
  const amount = fields.amount ?? left;
  if (amount > left) {
    throw invalid(
      `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
      'amount',
    );
  }
  const refund = world.tables.refunds.insert(
    refundObject(charge, { ...fields, amount, created: world.clock.now() }),
  );
  const amountRefunded = charge.amount_refunded + amount;
  const after = world.tables.charges.update(charge, {
    amount_refunded: amountRefunded,
    refunded: amountRefunded === charge.amount,
  });
  emit(world, 'refund.created', refund);
  emit(world, 'charge.refunded', after, charge);
  return refund;
}

/** The bank sends a refund back: the money is the seller's again, and the charge is no longer refunded. */
export function failRefund(world: World, refund: Refund): Refund {
  if (refund.status === 'failed') throw invalid('This refund has failed already.', 'id');
  const failed = world.tables.refunds.update(refund, {
    status: 'failed',
    failure_reason: 'lost_or_stolen_card',
  });
  const charge = world.tables.charges.get(refund.charge ?? '');
  if (charge !== undefined) {
    const after = world.tables.charges.update(charge, {
      amount_refunded: charge.amount_refunded - refund.amount,
      refunded: false,
    });
    emit(world, 'charge.updated', after, charge);
  }
  emit(world, 'refund.failed', failed);
  emit(world, 'refund.updated', failed, refund);
  emit(world, 'charge.refund.updated', failed, refund);
  return failed;
}
