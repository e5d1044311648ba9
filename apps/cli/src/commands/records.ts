import { auditList, eventList, eventStatuses, quarantineList } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { given, list, moment, pageable } from './context.ts';
import type { Context } from './context.ts';

type Filter = Record<string, string | undefined>;

const query = (filter: Filter): Record<string, string> =>
  Object.fromEntries(Object.entries(given(filter)).map(([name, value]) => [name, String(value)]));

export function addEvents(program: Command, context: Context): void {
  pageable(program.command('events').description("What became of Stripe's events, newest first"))
    .addOption(new Option('--status <status>').choices(eventStatuses))
    .option('--type <type>', 'such as customer.subscription.updated')
    .option('--object <id>', 'of one subscription, session, charge, …')
    .action(({ status, type, object }: Filter, command: Command) =>
      list(context, command, {
        schema: eventList,
        call: { path: '/admin/events', query: query({ status, type, object_id: object }) },
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
        call: { path: '/admin/quarantine', query: query({ reason }) },
        headings: ['event', 'type', 'object', 'reason', 'waits for', 'received'],
        row: (one) => [one.event_id, one.type, one.object_id, one.reason, one.awaits, one.received_at],
        empty: 'Nothing is quarantined.',
      }),
    );
}

export function addAudit(program: Command, context: Context): void {
  pageable(program.command('audit').description('Who did what, when and why'))
    .option('--project <project>')
    .option('--actor <name>')
    .option('--action <action>', 'such as grant.create')
    .option('--target <id>')
    .option('--from <when>', 'date or timestamp', moment)
    .option('--to <when>', 'date or timestamp', moment)
    .action(({ project, actor, action, target, from, to }: Filter, command: Command) =>
      list(context, command, {
        schema: auditList,
        call: {
          path: '/admin/audit',
          query: query({ project_id: project, actor, action, target_id: target, from, to }),
        },
        headings: ['at', 'who', 'did', 'to', 'project', 'why'],
        row: (one) => [one.at, one.actor, one.action, one.target_id, one.project_id, one.reason],
        empty: 'Nothing is recorded.',
      }),
    );
}
