import { z } from 'zod';

import { invalid } from '../errors.ts';
import { natural, positive } from '../http/params.ts';
import type { PriceTiers } from '../state/private-rows.ts';

export const decimalAmount = z.string().regex(/^\d{1,15}(\.\d{1,12})?$/, 'it is no decimal number');

const tier = z.strictObject({
  up_to: z.union([z.literal('inf').transform(() => null), positive]),
  unit_amount: natural.optional(),
  unit_amount_decimal: decimalAmount.optional(),
  flat_amount: natural.optional(),
  flat_amount_decimal: decimalAmount.optional(),
});

export const tierParams = {
  billing_scheme: z.enum(['per_unit', 'tiered']).optional(),
  tiers: z.array(tier).min(1).optional(),
  tiers_mode: z.enum(['graduated', 'volume']).optional(),
};
type TierParams = z.infer<z.ZodObject<typeof tierParams>>;

function shown(whole: number | undefined, decimal: string | undefined): [number | null, string | null] {
  if (decimal === undefined) return whole === undefined ? [null, null] : [whole, String(whole)];
  return [/^\d+$/.test(decimal) ? Number(decimal) : null, decimal];
}

/** The tiers of a tiered price; null: it costs the same per piece. */
export function tiersOf(
  params: TierParams & { unit_amount?: number | undefined },
): PriceTiers['tiers'] | null {
  const { billing_scheme: scheme = 'per_unit', tiers, tiers_mode: mode } = params;
  if (scheme === 'per_unit') {
    if (tiers === undefined && mode === undefined) return null;
    throw invalid('`tiers` belong to the billing scheme `tiered`.', 'tiers');
  }
  if (tiers === undefined || mode === undefined) {
    const name = tiers === undefined ? 'tiers' : 'tiers_mode';
    throw invalid(`Missing required param: ${name}.`, name, 'parameter_missing');
  }
  if (params.unit_amount !== undefined) throw invalid('A tiered price has no `unit_amount`.', 'unit_amount');
  const bounds = tiers.map(({ up_to: bound }) => bound ?? Number.POSITIVE_INFINITY);
  const isRising = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? 0));
  if (!isRising || Number.isFinite(bounds.at(-1)))
    throw invalid('Tiers rise, and the last one is up to `inf`.', 'tiers');
  return tiers.map((one) => {
    const [unitAmount, unitDecimal] = shown(one.unit_amount, one.unit_amount_decimal);
    const [flatAmount, flatDecimal] = shown(one.flat_amount, one.flat_amount_decimal);
    return {
      flat_amount: flatAmount,
      flat_amount_decimal: flatDecimal,
      unit_amount: unitAmount,
      unit_amount_decimal: unitDecimal,
      up_to: one.up_to,
    };
  });
}
