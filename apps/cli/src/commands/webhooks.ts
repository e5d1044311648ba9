import {
  createdWebhookEndpoint,
  rotatedWebhookSecret,
  webhookDeliveries,
  webhookEndpointList,
  webhookEndpointOut,
  webhookPayloads,
} from '@billing/domain';
import type { WebhookEndpointOut } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import { CliError } from './cli-error.ts';
import {
  callAndShow,
  commaList,
  confirm,
  dryRunOption,
  given,
  hours,
  isDryRun,
  list,
  pageable,
  requireChange,
} from './context.ts';
import type { Context } from './context.ts';
import { addWebhookMessages } from './webhook-messages.ts';

const endpointFields = (endpoint: WebhookEndpointOut) => ({
  endpoint: endpoint.endpoint_id,
  url: endpoint.url,
  types: endpoint.event_types,
  payload: endpoint.payload,
  delivery: endpoint.delivery,
  description: endpoint.description,
  status: endpoint.status,
  'because of': endpoint.disabled_reason,
  'last success': endpoint.last_success_at,
  'failing since': endpoint.failing_since,
  'old secret until': endpoint.previous_secret_until,
});

type EndpointOptions = {
  url?: string;
  types?: string[];
  payload?: string;
  delivery?: string;
  description?: string;
  enable?: boolean;
  disable?: boolean;
};

const withFields = (command: Command): Command =>
  command
    .option(...dryRunOption)
    .option('--types <list>', 'what is sent, comma-separated (* is all)', commaList)
    .addOption(new Option('--payload <form>', 'the state, or only that it changed').choices(webhookPayloads))
    .addOption(
      new Option('--delivery <how>', 'the latest state of a user, or every one, in order').choices(
        webhookDeliveries,
      ),
    )
    .option('--description <text>', 'for people');

const keepSecret = 'Keep the secret now: it is never shown again.';

function addChanges(webhooks: Command, context: Context): void {
  withFields(
    webhooks
      .command('create <project> <url>')
      .description('Send the changes of a project to a URL; the secret is shown this once'),
  ).action(async (project: string, url: string, ...[options, command]: [EndpointOptions, Command]) => {
    await callAndShow(context, command, {
      method: 'POST',
      path: path`/admin/projects/${project}/webhook-endpoints`,
      body: { ...bodyOf(options), url },
      schema: createdWebhookEndpoint,
      fields: (made) => ({ ...endpointFields(made), secret: made.secret }),
    });
    if (!isDryRun(command)) context.say(keepSecret);
  });
  withFields(webhooks.command('update <project> <endpoint_id>').description('What is not given stays'))
    .option('--url <url>', 'where to send to')
    .option('--enable', 'send changes from now on; backfill tells the state of all users')
    .option('--disable', 'send nothing, and discard what waits')
    .action(
      async (project: string, endpointId: string, ...[options, command]: [EndpointOptions, Command]) => {
        const body = requireChange(bodyOf(options));
        const where = path`/admin/projects/${project}/webhook-endpoints/${endpointId}`;
        const call = { method: 'PATCH' as const, path: where, body };
        await callAndShow(context, command, { ...call, schema: webhookEndpointOut, fields: endpointFields });
      },
    );
}

function addSecrets(webhooks: Command, context: Context): void {
  webhooks
    .command('rotate <project> <endpoint_id>')
    .description('A new secret, shown this once; the old one signs too for a while')
    .option(...dryRunOption)
    .option('--overlap <hours>', 'for how long, 0 to 168 (default: 24)', hours)
    .action(async (project: string, endpointId: string, ...[options, command]: [RotateOptions, Command]) => {
      await callAndShow(context, command, {
        method: 'POST',
        path: path`/admin/projects/${project}/webhook-endpoints/${endpointId}/rotate-secret`,
        body: given({ overlap_hours: options.overlap }),
        schema: rotatedWebhookSecret,
        fields: (rotated) => ({ endpoint: rotated.endpoint_id, secret: rotated.secret }),
      });
      if (!isDryRun(command)) context.say(keepSecret);
    });
  webhooks
    .command('delete <project> <endpoint_id>')
    .description('Send nothing more to it, for good')
    .option(...dryRunOption)
    .action(async (project: string, endpointId: string, ...[, command]: [object, Command]) => {
      await confirm(context, command, `The endpoint ${endpointId} will hear nothing from now on, for good.`);
      const where = path`/admin/projects/${project}/webhook-endpoints/${endpointId}`;
      const schema = z.undefined().transform(() => ({ endpoint_id: endpointId, deleted: true }));
      const fields = () => ({ endpoint: endpointId, deleted: true });
      await callAndShow(context, command, { method: 'DELETE', path: where, schema, fields });
    });
}

type RotateOptions = { overlap?: number };

export function addWebhooks(program: Command, context: Context): void {
  const webhooks = program
    .command('webhooks')
    .description('Where products hear of changes, and what was sent');
  pageable(webhooks.command('list <project>').description('The endpoints of a project')).action(
    (project: string, _options, command: Command) =>
      list(context, command, {
        schema: webhookEndpointList,
        call: { path: path`/admin/projects/${project}/webhook-endpoints` },
        headings: ['endpoint', 'status', 'because of', 'types', 'last success', 'failing since', 'url'],
        row: (one) => [
          one.endpoint_id,
          one.status,
          one.disabled_reason,
          one.event_types,
          one.last_success_at,
          one.failing_since,
          one.url,
        ],
        empty: 'This project has no endpoint yet: webhooks create <project> <url>.',
      }),
  );
  webhooks
    .command('show <project> <endpoint_id>')
    .description('One endpoint, without its secret')
    .action((project: string, endpointId: string, ...[, command]: [object, Command]) =>
      callAndShow(context, command, {
        path: path`/admin/projects/${project}/webhook-endpoints/${endpointId}`,
        schema: webhookEndpointOut,
        fields: endpointFields,
      }),
    );
  addChanges(webhooks, context);
  addSecrets(webhooks, context);
  addWebhookMessages(webhooks, context);
}

function bodyOf({ enable, disable, ...fields }: EndpointOptions): Record<string, unknown> {
  if (enable === true && disable === true)
    throw new CliError('usage', 'Give --enable or --disable, not both.');
  const isEnabled = enable ?? (disable === true ? false : undefined);
  const { url, types, payload, delivery, description } = fields;
  return given({ url, event_types: types, payload, delivery, description, is_enabled: isEnabled });
}
