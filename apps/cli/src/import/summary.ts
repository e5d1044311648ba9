import type { Tally } from '@billing/sync';

/** What each finding means and what to do, by its name in the state file. */
const findingTexts: Record<string, string> = {
  prices_not_in_stripe: 'prices of the mapping that this account does not have: correct the mapping',
  prices_not_understood: 'prices that Stripe renders in a way that is not understood: map them by hand',
  prices_that_stripe_has_otherwise:
    'prices with another interval or amount in the mapping than at Stripe: taken as Stripe has them',
  prices_of_another_product: 'prices that the catalog has under another product already: they stay there',
  prices_whose_id_is_taken: 'prices whose price_id another price has: give another price_id in the mapping',
  features_of_another_kind:
    'features that are described as another kind: they stay; nothing may have the code when you change it',
  products_with_other_features:
    'products that exist with other features or settings: they stay; change them with `npm run billing -- products update`',
  products_that_are_another_plan:
    'products that exist with another group, rank, default, trials, Stripe product or days of access: they stay; change them with `npm run billing -- products update`',
  customers_whose_user_id_is_not_usable:
    'customers whose metadata.user_id is no usable id: list them in --customers',
  users_with_several_customers:
    'users with several customers: checkout and portal use the one with a live subscription, else the newest',
  customers_of_another_user: 'customers that are mapped to another user already: they stay',
  listed_customers_not_in_stripe: 'customers of the list that this account does not have',
  subscriptions_not_understood: 'subscriptions that could not be read',
  subscriptions_without_user:
    'subscriptions without a known user: stored; list their customers in --customers and run again, or map them with `npm run billing -- customers map`',
  subscriptions_with_unmapped_price: 'subscriptions with a price that no project has: add it to the mapping',
  payments_without_user:
    'payments without a known user: stored; list their customers in --customers and run again, or map them with `npm run billing -- customers map`',
};

const countTexts: readonly [name: string, text: string][] = [
  ['features_created', 'features described'],
  ['features_there_already', 'features described already'],
  ['products_created', 'products created'],
  ['products_there_already', 'products there already'],
  ['prices_created', 'prices created'],
  ['prices_there_already', 'prices there already'],
  ['customers_seen', 'customers seen'],
  ['customers_mapped', 'customers mapped'],
  ['customers_there_already', 'customers mapped already'],
  ['customers_without_user', 'customers that name no user'],
  ['customers_of_other_projects', 'customers of other projects'],
  ['customers_of_erased_users', 'customers of users who were erased: left out'],
  ['subscriptions_seen', 'live subscriptions seen'],
  ['subscriptions_imported', 'subscriptions imported'],
  ['subscriptions_with_user_by_session', 'subscriptions whose checkout session names the user'],
  ['subscriptions_there_already', 'subscriptions up to date already'],
  ['subscriptions_of_other_projects', 'subscriptions of other projects'],
  ['payments_seen', 'one-time payments seen'],
  ['payments_imported', 'payments imported'],
  ['payments_there_already', 'payments up to date already'],
  ['payments_of_other_projects', 'payments of other projects'],
  ['payments_that_bought_nothing', 'payments that bought nothing of ours'],
  ['money_back_imported', 'refunds and disputes imported'],
];

/** Describes for people what was done and what could not be mapped. */
export function summarize({ counts, findings }: Tally, isDryRun: boolean): string {
  const done = countTexts
    .filter(([name]) => counts[name] !== undefined)
    .map(([name, text]) => `  ${String(counts[name]).padStart(8)}  ${text}`);
  const open = Object.entries(findings).flatMap(([name, { count, examples }]) => [
    `  ${String(count).padStart(8)}  ${findingTexts[name] ?? name}`,
    ...examples.slice(0, 5).map((example) => `              ${example}`),
    ...(count > 5 ? [`              … and ${count - 5} more (--json lists up to 20)`] : []),
  ]);
  const title = isDryRun ? 'Dry run: nothing was changed. The import would give:' : 'Imported:';
  const rest = open.length === 0 ? ['Everything could be mapped.'] : ['Could not be mapped:', ...open];
  return [title, ...done, '', ...rest].join('\n');
}
