import { z } from 'zod';

import { email, text, unset } from './params.ts';

/** An address as parameters; what is left out is null. */
export const address = z
  .strictObject({
    city: text.optional(),
    country: text.optional(),
    line1: text.optional(),
    line2: text.optional(),
    postal_code: text.optional(),
    state: text.optional(),
  })
  .transform((given) => ({
    city: given.city ?? null,
    country: given.country ?? null,
    line1: given.line1 ?? null,
    line2: given.line2 ?? null,
    postal_code: given.postal_code ?? null,
    state: given.state ?? null,
  }));

/** Where goods go. */
export const shipping = z
  .strictObject({ address, name: text, phone: text.optional() })
  .transform((given) => ({ ...given, carrier: null, phone: given.phone ?? null, tracking_number: null }));

/** Whom a payment method belongs to. */
export const billingDetails = z.strictObject({
  address: address.optional(),
  email: z.union([unset, email]).optional(),
  name: z.union([unset, text]).optional(),
  phone: z.union([unset, text]).optional(),
});
