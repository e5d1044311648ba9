import { randomBytes } from 'node:crypto';
import type { WebhookMessage } from '@billing/client';
import { Webhook } from 'standardwebhooks';
import { renderMessage } from './render-message.ts';
import { startReceiver } from './start-receiver.ts';
import type { Received } from './start-receiver.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const timestamp = '2026-11-22T10:00:00.120Z';
const told = { project_id: 'shop', user_id: 'ann', version: 8, previous_version: 7 };
const entry = {
  feature_code: 'export',
  is_active: true,
  valid_from: null,
  valid_to: null,
  current_period_end: null,
  source: 'manual',
  source_id: 'g_1',
  status: 'active',
  quantity: 1,
  confirmed: true,
} as const;
const crossing = {
  project_id: 'shop',
  user_id: 'ann',
  feature_code: 'calls',
  used: 8,
  granted: 10,
  source: 'manual',
  source_id: 'g_1',
  period_start: null,
  period_end: null,
  usage_seq: 1,
};

const lines: [string, WebhookMessage][] = [
  [
    'entitlements.changed  ann  version 8 (was 7)  +export -seats  in force: export  because of granted:g_1',
    {
      type: 'entitlements.changed',
      timestamp,
      data: {
        ...told,
        causes: ['granted:g_1'],
        changes: [
          { feature_code: 'export', change: 'added' },
          { feature_code: 'seats', change: 'removed' },
        ],
        entitlements: [entry],
        as_of: timestamp,
        valid_until: null,
      },
    },
  ],
  [
    'entitlements.changed  ann  version 8  in force: nothing  because of backfill',
    {
      type: 'entitlements.changed',
      timestamp,
      data: {
        ...told,
        previous_version: null,
        causes: ['backfill'],
        changes: [],
        entitlements: [],
        as_of: timestamp,
        valid_until: null,
      },
    },
  ],
  ['entitlements.changed  ann  version 8 (was 7)', { type: 'entitlements.changed', timestamp, data: told }],
  [
    'catalog.changed  catalog version 12',
    { type: 'catalog.changed', timestamp, data: { project_id: 'shop', version: 12 } },
  ],
  [
    'usage.threshold_reached  ann  calls  80 %',
    { type: 'usage.threshold_reached', timestamp, data: { ...crossing, threshold: 80 } },
  ],
  [
    'usage.limit_reached  ann  calls  nothing is left',
    { type: 'usage.limit_reached', timestamp, data: crossing },
  ],
  [
    'webhook.ping  somebody tries this endpoint',
    { type: 'webhook.ping', timestamp, data: { project_id: 'shop', endpoint_id: 'whe_1' } },
  ],
];

test.each(lines)('prints %s', (line, message) => {
  expect(renderMessage({ message, messageId: 'msg_1', isResend: false })).toBe(
    `10:00:00.120  ${line}  msg_1`,
  );
});

test('accepts what is verified, and says why all else is refused', async () => {
  const received: Received[] = [];
  const refused: string[] = [];
  let known: string | undefined;
  const receiver = await startReceiver({
    port: 0,
    secret: () => known,
    onMessage: (one) => received.push(one),
    onRefused: (reason) => refused.push(reason),
  });
  const send = async (body: string, { key = secret, more = {} }: { key?: string; more?: object } = {}) => {
    const at = new Date();
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(key).sign('msg_1', at, body),
      ...more,
    };
    return (await fetch(receiver.url, { method: 'POST', headers, body })).status;
  };
  try {
    const [, [, message] = [], ...rest] = lines;
    expect(rest.length).toBeGreaterThan(0);
    const body = JSON.stringify(message);
    // Its endpoint is not made yet.
    expect(await send(body)).toBe(400);
    known = secret;
    expect(await send(body)).toBe(204);
    expect(await send(body, { more: { 'webhook-resend': 'true' } })).toBe(204);
    expect(received).toEqual([
      { message, messageId: 'msg_1', isResend: false },
      { message, messageId: 'msg_1', isResend: true },
    ]);
    expect(await send(body, { key: `whsec_${randomBytes(32).toString('base64')}` })).toBe(400);
    expect(refused).toEqual([expect.stringContaining('No signature fits')]);
    expect(await send(`"${'x'.repeat(2 ** 21)}"`)).toBe(400);
    expect((await fetch(receiver.url)).status).toBe(400);
    expect(received).toHaveLength(2);
  } finally {
    await receiver.stop();
  }
});
