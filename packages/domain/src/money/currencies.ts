/**
 * Stripe: "Supported currencies", zero-decimal and three-decimal currencies. Amounts in ISK and UGX, which have no
 * decimals either, are written with two all the same.
 */
const withoutDecimals: ReadonlySet<string> = new Set(
  'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '),
);
const withThreeDecimals: ReadonlySet<string> = new Set('bhd jod kwd omr tnd'.split(' '));

/** How many of the smallest units in which Stripe counts a currency make one of it: 100 cents make a dollar. */
export function smallestUnitsOf(currency: string): number {
  if (withoutDecimals.has(currency)) return 1;
  return withThreeDecimals.has(currency) ? 1_000 : 100;
}
