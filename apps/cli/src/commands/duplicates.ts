import { duplicateList } from '@billing/domain';
import type { Command } from 'commander';
import { list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';

export function addDuplicates(program: Command, context: Context): void {
  pageable(
    program
      .command('duplicates')
      .description('Live subscriptions of one user that share a price or a group of plans'),
  )
    .option('--project <project>')
    .action(({ project }: Filter, command: Command) =>
      list(context, command, {
        schema: duplicateList,
        call: { path: '/admin/duplicates', query: queryOf({ project_id: project }) },
        headings: [
          'project',
          'user',
          'subscription',
          'customer',
          'status',
          'shares',
          'duplicate of',
          'created',
        ],
        row: (one) => [
          one.project_id,
          one.user_id,
          one.subscription_id,
          one.stripe_customer_id,
          one.status,
          one.group ?? one.stripe_price_id,
          one.duplicate_of,
          one.created,
        ],
        empty: 'Nobody has a subscription twice.',
      }),
    );
}
