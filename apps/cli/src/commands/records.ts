import { eventDetailOut, eventList, eventStatuses, quarantineList } from '@billing/domain';
import type { EventDetailOut } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { globalsOf, list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';
import { renderFields, tableIfAny } from './table.ts';

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

const renderEvent = (event: EventDetailOut): string =>
  [
    renderFields({
      event: event.event_id,
      type: event.type,
      object: event.object_id,
      customer: event.customer_id,
      project: event.project_id,
      status: event.status,
      reason: event.reason,
      'waits for': event.awaits,
      created: event.created,
      received: event.received_at,
      processed: event.processed_at,
      tries: event.attempts,
      'event before': event.previous_event_id,
      payload: event.payload === null ? 'no longer kept' : JSON.stringify(event.payload),
    }),
    ...tableIfAny(
      ['changed', 'before', 'after'],
      (event.changes ?? []).map((one) => [one.path, JSON.stringify(one.before), JSON.stringify(one.after)]),
    ),
    ...tableIfAny(
      ['stored', 'id', 'project', 'user', 'as this event has it'],
      event.objects.map((one) => [one.kind, one.id, one.project_id, one.user_id, one.is_newest]),
    ),
  ].join('\n\n');

export function addEvent(program: Command, context: Context): void {
  program
    .command('event <event>')
    .description('One event of Stripe: what it changed, and whose its objects are')
    .action(async (event: string, ...rest: [object, Command]) => {
      const found = await context.call(eventDetailOut, { path: path`/admin/events/${event}` });
      context.print(globalsOf(rest[1]).json ? JSON.stringify(found) : renderEvent(found));
    });
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
