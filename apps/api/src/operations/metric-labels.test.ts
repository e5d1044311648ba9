import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { waitFor } from '@billing/testing';
import { Stripe } from 'stripe';
import { startTestApi, testAdmin, testWebhookSecret } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

const stripe = new Stripe('sk_test_signing');
const mark = 'deluge';

describe('what callers send', () => {
  let api: TestApi;
  let apiKey: string;
  beforeAll(async () => {
    api = await startTestApi();
    ({ apiKey } = await api.createProject());
  });
  afterAll(() => api.close());

  async function deliver(index: number): Promise<void> {
    const payload = JSON.stringify({ id: `evt_${index}`, type: `${mark}.${index}`, data: { object: {} } });
    const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret });
    await api.http().post('/api/v1/webhooks/stripe').set('stripe-signature', signature).send(payload);
  }

  /** Methods that no ordinary client sends. */
  async function ask(method: string, path: string): Promise<void> {
    const sent = httpRequest(new URL(path, api.url), { method }).end();
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
  }

  async function flood(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await deliver(index);
      for (const path of [
        `/${mark}/${index}`,
        `/api/v1/${mark}/${index}`,
        `/api/v1/entitlements/${mark}${index}`,
        `/api/v1/entitlements?user_id=${mark}${index}&${mark}${index}=1`,
        `/api/v1/metrics/project/${mark}${index}`,
        `/api/v1/checkout/${mark}${index}`,
        `/docs/${mark}${index}`,
      ])
        await api.http().get(path).set('authorization', `Bearer ${apiKey}`);
      for (const path of [`projects/${mark}${index}`, `events/${mark}${index}`, `${mark}${index}`])
        await api.http().get(`/api/v1/admin/${path}`).set('authorization', `Bearer ${testAdmin.secret}`);
    }
    for (const method of ['PROPFIND', 'MKCOL', 'LOCK', 'PURGE', 'REPORT', 'SEARCH'].slice(0, count))
      await ask(method, `/${mark}`);
  }

  const names = async (): Promise<string[]> =>
    (await api.http().get('/metrics')).text
      .split('\n')
      .flatMap((line) => /^(\w+(?:\{[^}]*\})?) /.exec(line)?.[1] ?? []);

  it('makes no series: neither addresses, methods, ids nor types of events', async () => {
    await flood(1);
    // That the key was used is written a little later.
    await waitFor(async () => (await names()).some((name) => name.includes('operation="update"')), {
      what: 'the use of the key',
    });
    const before = await names();
    await flood(25);
    const after = await names();
    // A miss becomes a hit, nothing else: all series were there after the first round.
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
    expect(after.join('\n')).not.toContain(mark);
  }, 60_000);
});
