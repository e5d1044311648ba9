import { waitFor } from '@billing/testing';
import { Stripe } from 'stripe';
import { startTestApi, testWebhookSecret } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

type Line = Record<string, unknown>;

const parseLine = (line: string): Line => JSON.parse(line);
const linesOf = ({ logs }: TestApi): Line[] =>
  logs
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
const requests = (api: TestApi): Line[] =>
  linesOf(api).filter((line) => line['event'] === 'request_finished');

async function check(api: TestApi, { apiKey, id }: { apiKey: string; id: string }): Promise<void> {
  await api
    .http()
    .get('/api/v1/entitlements?user_id=somebody')
    .set({ authorization: `Bearer ${apiKey}`, 'x-request-id': id })
    .expect(200);
}

/** A request that is always logged, and its line: whatever came before it would be there too. */
async function untilLogged(api: TestApi, id: string): Promise<void> {
  await api.http().get('/healthz').set('x-request-id', id);
  await waitFor(() => requests(api).some((line) => line['request_id'] === id), { what: 'the last line' });
}

describe('the access log', () => {
  it('has no checks unless it is told to', async () => {
    const api = await startTestApi();
    const { apiKey } = await api.createProject();
    for (const id of ['check-1', 'check-2']) await check(api, { apiKey, id });
    await untilLogged(api, 'last');
    expect(requests(api).map((line) => line['request_id'])).toEqual(['last']);
    await api.close();
  });

  it('has the share of checks that is asked for, under the id of the request, and not who asked about whom', async () => {
    const api = await startTestApi({ env: { ACCESS_LOG_SAMPLE: '0.5' } });
    const { apiKey } = await api.createProject();
    for (let index = 0; index < 100; index += 1) await check(api, { apiKey, id: `check-${index}` });
    await untilLogged(api, 'last');
    const checks = requests(api).filter((line) => line['route'] === '/api/v1/entitlements');
    // Sixteen of a hundred or fewer is seven standard deviations off.
    expect(checks.length).toBeGreaterThan(16);
    expect(checks.length).toBeLessThan(84);
    expect(checks.at(-1)).toMatchObject({
      service: 'api',
      level: 'info',
      request_id: expect.stringMatching(/^check-\d+$/),
      method: 'GET',
      status_code: 200,
      cache: expect.stringMatching(/^(hit|miss)$/),
      sample: 0.5,
    });
    expect(api.logs.join('')).not.toContain('somebody');
    await api.close();
  });

  it('names the event of a webhook and what became of it', async () => {
    const api = await startTestApi();
    const event = {
      id: 'evt_of_the_log',
      type: 'invoice.paid',
      data: { object: { id: 'in_1', object: 'invoice' } },
    };
    const payload = JSON.stringify(event);
    const signature = new Stripe('sk_test_x').webhooks.generateTestHeaderString({
      payload,
      secret: testWebhookSecret,
    });
    await api
      .http()
      .post('/api/v1/webhooks/stripe')
      .set('stripe-signature', signature)
      .send(payload)
      .expect(200);
    await waitFor(() => requests(api).length > 0, { what: 'the line' });
    expect(requests(api)[0]).toMatchObject({
      route: '/api/v1/webhooks/stripe',
      event_id: 'evt_of_the_log',
      type: 'invoice.paid',
      outcome: 'enqueued',
      status_code: 200,
    });
    await api.close();
  });
});
