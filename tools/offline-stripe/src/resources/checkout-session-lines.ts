import { invalid } from '../errors.ts';
import { mergeMetadata } from '../http/params.ts';
import { checkoutLine } from '../objects/checkout-session.ts';
import type { LineItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import type { CreateSession } from './checkout-session-params.ts';
import { requireUncounted } from './subscription-choices.ts';
import { createPrice, requireActive } from './prices.ts';

type LineParams = CreateSession['line_items'][number];

function adjustableOf(given: LineParams['adjustable_quantity']): LineItem['adjustable_quantity'] {
  if (given === undefined) return null;
  return {
    enabled: given.enabled,
    minimum: given.minimum ?? (given.enabled ? 0 : null),
    maximum: given.maximum ?? (given.enabled ? 99 : null),
  };
}

function lineOf(world: World, line: LineParams, { mode, name }: { mode: string; name: string }): LineItem {
  if ((line.price === undefined) === (line.price_data === undefined)) {
    throw invalid(`You must specify either \`price\` or \`price_data\`: ${name}.`, name, 'parameter_missing');
  }
  const price =
    line.price_data === undefined
      ? world.tables.prices.require(line.price ?? '', name)
      : createPrice(world, line.price_data);
  requireActive(price, name);
  requireUncounted(price, line.quantity, name.replace('[price]', '[quantity]'));
  if (mode === 'payment' && price.type === 'recurring') {
    throw invalid(
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      'mode',
    );
  }
  return checkoutLine({
    price,
    quantity: line.quantity ?? 1,
    description: world.tables.products.get(price.product)?.name ?? price.id,
    metadata: mergeMetadata({}, line.metadata),
    adjustable: adjustableOf(line.adjustable_quantity),
  });
}

/** The lines of `line_items`, with Stripe's error for a price that can't be sold this way. */
export function linesOf(world: World, params: CreateSession): LineItem[] {
  const { mode } = params;
  return params.line_items.map((line, index) =>
    lineOf(world, line, { mode, name: `line_items[${index}][price]` }),
  );
}

/** The lines of `optional_items`. */
export function optionalLines(world: World, params: CreateSession): LineItem[] {
  const { mode } = params;
  return (params.optional_items ?? []).map((line, index) =>
    lineOf(world, line, { mode, name: `optional_items[${index}][price]` }),
  );
}
