import {
  resentWebhook,
  webhookDeliveryList,
  webhookDeliveryStatuses,
  webhookMessageOut,
  webhookMessageTypes,
  webhookPingOut,
} from '@billing/domain';
import type { WebhookAttemptOut } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import { callAndShow, given, globalsOf, list, pageable, queryOf } from './context.ts';
import type { Context, Filter } from './context.ts';
import { startRun } from './runs.ts';
import { renderFields, tableIfAny } from './table.ts';

const attemptRow = (attempt: WebhookAttemptOut) => [
  attempt.at,
  attempt.endpoint_id,
  attempt.status,
  attempt.error,
  attempt.duration_ms,
  attempt.response,
];

async function ping(context: Context, command: Command, where: string): Promise<void> {
  const attempt = await context.call(webhookPingOut, { method: 'POST', path: `${where}/ping` });
  const fields = {
    message: attempt.message_id,
    status: attempt.status,
    error: attempt.error,
    milliseconds: attempt.duration_ms,
    answer: attempt.response,
  };
  context.print(globalsOf(command).json ? JSON.stringify(attempt) : renderFields(fields));
  const isAccepted = attempt.status !== null && attempt.status >= 200 && attempt.status < 300;
  if (!isAccepted) throw new CliError('refused', 'The endpoint did not accept the ping.');
}

async function showMessage(context: Context, command: Command, messageId: string): Promise<void> {
  const message = await context.call(webhookMessageOut, { path: path`/admin/webhook-messages/${messageId}` });
  if (globalsOf(command).json) return context.print(JSON.stringify(message));
  const about = renderFields({
    message: message.message_id,
    project: message.project_id,
    type: message.type,
    made: message.created_at,
  });
  const tries = tableIfAny(
    ['at', 'endpoint', 'status', 'error', 'ms', 'answer'],
    message.attempts.map(attemptRow),
  );
  context.print([about, JSON.stringify(message.payload, null, 2), ...tries].join('\n\n'));
}

const addDeliveries = (webhooks: Command, context: Context): Command =>
  pageable(
    webhooks
      .command('deliveries <project> <endpoint_id>')
      .description('What was sent to an endpoint, and what waits, newest first'),
  )
    .addOption(new Option('--status <status>').choices(webhookDeliveryStatuses))
    .addOption(new Option('--type <type>').choices(webhookMessageTypes))
    .option('--user <user>', 'only messages about this user')
    .action((project: string, endpointId: string, ...[{ status, type, user }, command]: [Filter, Command]) =>
      list(context, command, {
        schema: webhookDeliveryList,
        call: {
          path: path`/admin/projects/${project}/webhook-endpoints/${endpointId}/deliveries`,
          query: queryOf({ status, type, user_id: user }),
        },
        headings: ['message', 'type', 'user', 'version', 'status', 'tries', 'next try', 'made'],
        row: (one) => [
          one.message_id,
          one.type,
          one.user_id,
          one.version,
          one.status,
          one.attempts,
          one.next_try_at,
          one.created_at,
        ],
        empty: 'Nothing was sent like that.',
      }),
    );

/** The commands about what is sent. */
export function addWebhookMessages(webhooks: Command, context: Context): void {
  webhooks
    .command('ping <project> <endpoint_id>')
    .description('Try an endpoint now')
    .action((project: string, endpointId: string, ...[, command]: [object, Command]) =>
      ping(context, command, path`/admin/projects/${project}/webhook-endpoints/${endpointId}`),
    );
  addDeliveries(webhooks, context);
  webhooks
    .command('message <message_id>')
    .description('A message, and every try to send it')
    .action((messageId: string, _options, command: Command) => showMessage(context, command, messageId));
  webhooks
    .command('resend <message_id>')
    .description('Send a message once more, to all enabled endpoints or to one')
    .option('--endpoint <endpoint_id>', 'only to this one')
    .action((messageId: string, { endpoint }: { endpoint?: string }, command: Command) =>
      callAndShow(context, command, {
        method: 'POST',
        path: path`/admin/webhook-messages/${messageId}/resend`,
        body: given({ endpoint_id: endpoint }),
        schema: resentWebhook,
        fields: (resent) => ({ message: resent.message_id, endpoints: resent.endpoints }),
      }),
    );
  webhooks
    .command('backfill <project> <endpoint_id>')
    .description('Tell an endpoint the state of every user, once')
    .option('--no-wait', 'print the run and leave it to the worker')
    .action((project: string, endpointId: string, ...[{ wait }, command]: [{ wait: boolean }, Command]) =>
      startRun(context, command, {
        path: path`/admin/projects/${project}/webhook-endpoints/${endpointId}/backfill`,
        body: {},
        wait,
      }),
    );
}
