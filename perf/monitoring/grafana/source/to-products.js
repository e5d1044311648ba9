import { graph } from './panels.js';

/** What products are told, and whether it reaches them. */
export const toProducts = [
  'Webhooks to products',
  [
    graph(
      'Messages made by type',
      [['sum by (type) (rate(webhook_messages_total[$__rate_interval]))', '{{type}}']],
      { unit: 'ops', isStacked: true },
    ),
    graph(
      'Tries by outcome',
      [['sum by (outcome) (rate(webhook_deliveries_total[$__rate_interval]))', '{{outcome}}']],
      { unit: 'ops', isStacked: true },
    ),
    graph('From a change to its message', [['max(webhook_emit_lag_seconds)', 'lag']], {
      unit: 's',
      limit: 60,
      description: 'How long the oldest change waits that products were not told of.',
    }),
    graph('Deliveries that are due', [['max(webhook_deliveries_due)', 'due']], { limit: 1000 }),
    graph(
      'Endpoints',
      [
        ['max by (state) (webhook_endpoints)', '{{state}}'],
        ['max by (reason) (webhook_endpoints_given_up)', 'disabled: {{reason}}'],
      ],
      {
        width: 24,
        description:
          '`key_missing`: their messages wait for a key of WEBHOOK_SECRET_KEY. `gone`, `failing`: disabled because of what they answered, or did not.',
      },
    ),
  ],
];
