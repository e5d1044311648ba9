import {
  purchaseStatuses,
  revenueDaysOut,
  soldPurchaseList,
  soldSubscriptionList,
  subscriptionStatuses,
} from '@billing/domain';
import type { SoldSubscriptionOut } from '@billing/domain';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { globalsOf, list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';
import { renderTable } from './table.ts';

type Item = { stripe_price_id: string; price_id: string | null; quantity: number };
const itemText = (item: Item): string => `${item.quantity} × ${item.price_id ?? item.stripe_price_id}`;

/** When the first of its paid periods ends. */
const paidUntil = ({ items }: SoldSubscriptionOut): string | undefined =>
  items
    .flatMap((item) => item.current_period_end ?? [])
    .toSorted()
    .at(0);

const endText = (one: SoldSubscriptionOut): string | null =>
  one.ended_at ?? one.cancel_at ?? (one.cancel_at_period_end ? 'at the end of the period' : null);

const filtered = (command: Command): Command =>
  pageable(command)
    .option('--project <project>', 'of one project')
    .option('--user <user>', 'of one user')
    .option('--product <product>', 'with an item that is sold as this product')
    .option('--customer <customer>', 'of one Stripe customer');

const filterOf = ({ project, user, product, customer, status }: Filter): Record<string, string> =>
  queryOf({ project_id: project, user_id: user, product_id: product, stripe_customer_id: customer, status });

/** The group of commands about subscriptions. */
export function addSubscriptions(program: Command, context: Context): void {
  const subscriptions = program
    .command('subscriptions')
    .description('Subscriptions, as they are stored here');
  filtered(subscriptions.command('list').description('Newest first'))
    .addOption(new Option('--status <status>').choices(subscriptionStatuses))
    .action((filter: Filter, command: Command) =>
      list(context, command, {
        schema: soldSubscriptionList,
        call: { path: '/admin/subscriptions', query: filterOf(filter) },
        headings: ['subscription', 'project', 'user', 'status', 'customer', 'paid until', 'ends', 'items'],
        row: (one) => [
          one.subscription_id,
          one.project_id,
          one.user_id,
          one.status,
          one.stripe_customer_id,
          paidUntil(one),
          endText(one),
          one.items.map(itemText),
        ],
        empty: 'No subscription is like that.',
      }),
    );
}

export function addPurchases(program: Command, context: Context): void {
  const purchases = program.command('purchases').description('What was bought once');
  filtered(purchases.command('list').description('Newest first'))
    .addOption(new Option('--status <status>').choices(purchaseStatuses))
    .action((filter: Filter, command: Command) =>
      list(context, command, {
        schema: soldPurchaseList,
        call: { path: '/admin/purchases', query: filterOf(filter) },
        headings: ['purchase', 'project', 'user', 'status', 'amount', 'refunded', 'dispute', 'paid', 'items'],
        row: (one) => [
          one.purchase_id,
          one.project_id,
          one.user_id,
          one.status,
          one.amount === null ? null : `${one.amount} ${one.currency ?? ''}`,
          one.amount_refunded,
          one.dispute_status,
          one.paid_at,
          one.items.map(itemText),
        ],
        empty: 'No purchase is like that.',
      }),
    );
}

function day(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('Give a day (2026-12-31).');
  return text;
}

export function addRevenue(program: Command, context: Context): void {
  program
    .command('mrr <project>')
    .description('Monthly recurring revenue and subscriptions by days (UTC); amounts in minor units')
    .option('--from <day>', 'the first day (default: 29 days before the last)', day)
    .option('--to <day>', 'the last day (default: today)', day)
    .action(async (project: string, { from, to }: Filter, command: Command) => {
      const query = queryOf({ project_id: project, from, to });
      const revenue = await context.call(revenueDaysOut, { path: '/admin/mrr', query });
      if (globalsOf(command).json) return context.print(JSON.stringify(revenue));
      const rows = revenue.data.map((one) => [
        one.day,
        one.mrr.map(({ currency, amount }) => `${amount} ${currency}`),
        one.active_subscriptions,
        one.trialing_subscriptions,
        one.subscriptions_by_status
          .filter(({ status }) => status !== 'active' && status !== 'trialing')
          .map(({ status, subscriptions }) => `${subscriptions} ${status}`),
        one.new_subscriptions,
        one.lost_subscriptions,
      ]);
      const headings = ['day', 'revenue', 'active', 'trialing', 'others', 'new', 'lost'];
      context.print(
        rows.length === 0 ? 'The worker wrote nothing on those days.' : renderTable(headings, rows),
      );
    });
}
