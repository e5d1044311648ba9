import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook } from '@billing/client';
import type { WebhookMessage } from '@billing/client';
import { seedWebhookMessages } from '../../../api/src/openapi/testing/seed-records.test-support.ts';
import { startTestApi, testAdmin } from '../../../api/src/testing/start-test-api.test-support.ts';
import type { TestApi } from '../../../api/src/testing/start-test-api.test-support.ts';
import { runBilling } from './run-billing.ts';

let api: TestApi;
let receiver: Server;
let url: string;
/** By which the receiver verifies. */
let secrets: string[];
let verified: WebhookMessage[];

beforeAll(async () => {
  api = await startTestApi();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      verified.push(verifyWebhook(Buffer.concat(chunks), request.headers, secrets));
      response.writeHead(request.url === '/broken' ? 500 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
});
afterAll(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await api.close();
});

async function billing(...args: string[]) {
  const printed: string[] = [];
  const said: string[] = [];
  const code = await runBilling(args, {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    ask: () => Promise.resolve(null),
    env: { BILLING_URL: api.url, BILLING_ADMIN_KEY: testAdmin.secret },
    stackPath: '/nowhere/stack.json',
  });
  const out = printed.join('\n');
  return { code, out, said: said.join('\n'), json: () => JSON.parse(out) as Record<string, string> };
}

test('an endpoint is made, tried, rotated, changed and deleted from the command line', async () => {
  verified = [];
  const { projectId } = await api.createProject();
  expect((await billing('webhooks', 'list', projectId)).out).toContain('no endpoint yet');
  const create = ['webhooks', 'create', projectId, url, '--types', 'entitlements.changed, catalog.changed'];
  expect((await billing(...create, '--dry-run')).out).toMatch(/url +none → http/);
  const made = await billing(...create, '--payload', 'thin', '--json');
  const { endpoint_id: id = '', secret = '' } = made.json();
  expect(made.said).toContain('never shown again');
  expect((await billing('webhooks', 'list', projectId)).out).toMatch(
    new RegExp(`${id} +enabled +– +entitlements.changed, catalog.changed`),
  );
  const shown = await billing('webhooks', 'show', projectId, id);
  expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/payload +thin\ndelivery +latest/)]);
  expect(shown.out).not.toContain(secret);
  expect((await billing('webhooks', 'show', projectId, 'whe_none')).code).not.toBe(0);
  secrets = [secret];
  const pinged = await billing('webhooks', 'ping', projectId, id);
  expect([pinged.code, pinged.out]).toEqual([0, expect.stringMatching(/status +204/)]);
  expect(verified).toMatchObject([{ type: 'webhook.ping', data: { endpoint_id: id } }]);

  const rotated = await billing('webhooks', 'rotate', projectId, id, '--overlap', '0.5', '--json');
  secrets = [rotated.json()['secret'] ?? ''];
  expect((await billing('webhooks', 'ping', projectId, id)).code).toBe(0);
  expect((await billing('webhooks', 'rotate', projectId, id, '--overlap', 'a while')).code).toBe(2);

  const change = ['webhooks', 'update', projectId, id];
  expect((await billing(...change)).code).toBe(2);
  expect((await billing(...change, '--enable', '--disable')).code).toBe(2);
  expect((await billing(...change, '--disable', '--url', `${url}/broken`, '--types', '*')).out).toMatch(
    /types +\*[\s\S]*status +disabled[\s\S]*because of +by_operator/,
  );
  const failed = await billing('webhooks', 'ping', projectId, id);
  expect(failed).toMatchObject({ code: 1, said: 'The endpoint did not accept the ping.' });
  expect(failed.out).toMatch(/status +500/);
  const backfill = await billing('webhooks', 'backfill', projectId, id);
  expect([backfill.code, backfill.said]).toEqual([1, expect.stringContaining('endpoint_disabled')]);
  await billing(...change, '--enable');
  expect((await billing('webhooks', 'backfill', projectId, id, '--no-wait')).out).toMatch(/kind +backfill/);

  expect((await billing('webhooks', 'delete', projectId, id)).code).toBe(2);
  expect((await billing('webhooks', 'delete', projectId, id, '--yes')).out).toMatch(/deleted +yes/);
  expect((await billing('webhooks', 'ping', projectId, id)).said).toContain('webhook_endpoint_not_found');
});

test('what was sent is listed, shown and sent once more', async () => {
  const { projectId } = await api.createProject();
  const made = await billing('webhooks', 'create', projectId, url, '--json');
  const endpointId = made.json()['endpoint_id'] ?? '';
  const list = ['webhooks', 'deliveries', projectId, endpointId];
  expect((await billing(...list)).out).toContain('Nothing was sent');
  const [, messageId = ''] = await seedWebhookMessages(api.deps.database, {
    projectId,
    userId: 'ann',
    endpointId,
  });
  const succeeded = await billing(...list, '--status', 'succeeded', '--user', 'ann');
  expect(succeeded.out).toMatch(new RegExp(`${messageId} +entitlements.changed +ann +3 +succeeded[^\\n]*$`));
  expect((await billing(...list, '--status', 'sent')).code).toBe(2);
  const shown = await billing('webhooks', 'message', messageId);
  expect(shown.out).toMatch(/"user_id": "ann"[\s\S]*timeout[\s\S]*200/);
  expect((await billing('webhooks', 'message', messageId, '--json')).json()).toMatchObject({
    message_id: messageId,
    attempts: [{ error: 'timeout' }, { response: 'ok' }],
  });
  expect((await billing('webhooks', 'resend', messageId)).out).toMatch(/endpoints +1/);
  const unknown = await billing('webhooks', 'resend', messageId, '--endpoint', 'whe_none');
  expect([unknown.code, unknown.said]).toEqual([1, expect.stringContaining('webhook_endpoint_not_found')]);
});
