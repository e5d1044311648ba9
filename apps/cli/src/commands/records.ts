import { eventList, eventStatuses, quarantineList } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';

export function addEvents(program: Command, context: Context): void {
  pageable(program.command('events').description("What became of Stripe's events, newest first"))
    .addOption(new Option('--status <status>').choices(eventStatuses))
    .option('--type <type>', 'such as customer.subscription.updated')
    .option('--object <id>', 'of one subscription, session, charge, …')
    .action(({ status, type, object }: Filter, command: Command) =>
      list(context, command, {
        schema: eventList,
        call: { path: '/admin/events', query: queryOf({ status, type, object_id: object }) },
        headings: ['event', 'type', 'object', 'status', 'reason', 'created', 'processed', 'tries'],
        row: (one) => [
          one.event_id,
          one.type,
          one.object_id,
          one.status,
          one.reason,
          one.created,
          one.processed_at,
          one.attempts,
        ],
        empty: 'No event is like that.',
      }),
    );
}

export function addQuarantine(program: Command, context: Context): void {
  pageable(
    program.command('quarantine').description('Events that wait for a customer or a price to be mapped'),
  )
    .option(
      '--reason <reason>',
      'unknown_customer, unknown_price, unknown_project, price_of_other_project, buyer_hint or invalid_object',
    )
    .action(({ reason }: Filter, command: Command) =>
      list(context, command, {
        schema: quarantineList,
        call: { path: '/admin/quarantine', query: queryOf({ reason }) },
        headings: ['event', 'type', 'object', 'reason', 'waits for', 'received'],
        row: (one) => [one.event_id, one.type, one.object_id, one.reason, one.awaits, one.received_at],
        empty: 'Nothing is quarantined.',
      }),
    );
}
