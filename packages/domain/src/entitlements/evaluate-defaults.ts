import type { Evaluation } from './evaluate.ts';
import type { DefaultSource } from './sources.ts';

/** Whether what is in force takes the place of a default product: it is of the same group, without one the product itself. */
function takesPlaceOf({ item }: Evaluation, { productId, group = null }: DefaultSource): boolean {
  if (item === null) return false;
  return group === null ? item.productId === productId : item.group === group;
}

/**
 * What the project's default products grant beside what is in force: each its features for an unlimited time, unless a
 * subscription or purchase takes its place. A grant has no product and takes nobody's place.
 */
export function evaluateDefaults(
  defaults: readonly DefaultSource[],
  inForce: readonly Evaluation[],
): Evaluation[] {
  return defaults.map((product) => {
    const isDisplaced = inForce.some((one) => takesPlaceOf(one, product));
    return {
      source: 'default',
      sourceId: product.productId,
      stripePriceId: null,
      featureCodes: product.featureCodes,
      inForce: !isDisplaced,
      reason: isDisplaced ? 'group_occupied' : 'in_force',
      status: 'default',
      validFrom: null,
      validTo: null,
      currentPeriodEnd: null,
      quantity: 1,
      confirmed: true,
      of: product,
      item: null,
    };
  });
}

/** Whether the answer changes once the source is no longer in force because a default product comes back. */
export const keepsPlace = (evaluation: Evaluation, defaults: readonly DefaultSource[]): boolean =>
  defaults.some((product) => takesPlaceOf(evaluation, product));

/** The default products that are in force for the user. */
export const defaultsInForce = (evaluations: readonly Evaluation[]): DefaultSource[] =>
  evaluations.flatMap((one) => (one.source === 'default' && one.inForce ? [one.of] : []));
