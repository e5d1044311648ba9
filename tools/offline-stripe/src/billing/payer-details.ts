import { emitChange } from '../events/emit.ts';
import type { CheckoutPlan } from '../state/private-rows.ts';
import type { CheckoutSession, Customer, PaymentMethod } from '../stripe-objects.ts';
import type { World } from '../world.ts';

type Address = NonNullable<Customer['address']>;

/** What the payer says about themselves on the page. */
export type Payer = {
  email?: string | undefined;
  name?: string | undefined;
  address?: Address | undefined;
  taxId?: string | undefined;
};

type Paid = {
  session: CheckoutSession;
  plan: CheckoutPlan;
  customer: Customer | null;
  method: PaymentMethod | undefined;
  payer: Payer;
};

/** The session's `customer_details`. */
export function customerDetails({
  session,
  customer,
  method,
  payer,
}: Paid): CheckoutSession['customer_details'] {
  const known = customer?.email ?? session.customer_email ?? payer.email;
  return {
    address: payer.address ?? customer?.address ?? null,
    business_name: null,
    email: known ?? method?.billing_details.email ?? 'payer@example.com',
    individual_name: null,
    name: payer.name ?? customer?.name ?? method?.billing_details.name ?? null,
    phone: null,
    tax_exempt: customer?.tax_exempt ?? 'none',
    tax_ids: payer.taxId === undefined ? [] : [{ type: 'eu_vat', value: payer.taxId }],
  };
}

/** Saves it with the customer: one who is new, or as `customer_update` allows. */
export function saveDetails(world: World, { session, plan, customer, payer }: Paid): void {
  if (customer === null) return;
  const isNew = session.customer === null;
  const allowed = plan.customer_update ?? { address: false, name: false };
  const after = world.tables.customers.update(customer, {
    ...(isNew || allowed.address ? { address: payer.address } : {}),
    ...(isNew || allowed.name ? { name: payer.name } : {}),
  });
  const isChanged = after.address !== customer.address || after.name !== customer.name;
  if (isChanged) emitChange(world, 'customer.updated', { before: customer, after });
}
