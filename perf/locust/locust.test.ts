import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseStripeEvent, projectEvent } from '@billing/domain';
import { Stripe } from 'stripe';

const secret = 'whsec_load';
const environment = {
  PATH: process.env['PATH'],
  API_KEY: 'proj_x',
  PROJECT_ID: 'load-test',
  PRICE_ID: 'checkout-month',
  WEBHOOK_SECRET: secret,
  SUBSCRIPTION_PREFIX: 'sub_load_x_',
  SUBSCRIPTION_ITEM_PREFIX: 'si_load_x_',
  CUSTOMER_PREFIX: 'cus_load_x_',
  WEBHOOK_USER_FROM: '1',
  WEBHOOK_USER_TO: '3',
  PYTHONDONTWRITEBYTECODE: '1',
};

/** Runs a program beside the locustfile, with Python's standard library only. */
function python(program: string, env: NodeJS.ProcessEnv = environment) {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  return spawnSync('python3', ['-c', program], { cwd, env, encoding: 'utf8' });
}

const hasPython = python('').error === undefined;
/** A machine without load tests may lack Python. */
const describeWithPython = hasPython ? describe : describe.skip;

const makeEvents = `
import json
from settings import read_settings
from stripe_events import SubscriptionEvents, sign
settings = read_settings()
events = SubscriptionEvents(settings, settings.webhook_users)
for _ in range(40):
    body = events.next_event()
    print(json.dumps([body.decode(), sign(body, settings.webhook_secret)]))
`;

const madeEvents = (): [string, string][] =>
  python(makeEvents)
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describeWithPython('the load suite', () => {
  test('signs as Stripe does, bodies of the size that Stripe sends', () => {
    const stripe = new Stripe('sk_test_signing');
    for (const [body, signature] of madeEvents()) {
      expect(stripe.webhooks.constructEvent(body, signature, secret).id).toMatch(/^evt_load_/);
      expect(body.length).toBeGreaterThan(4_000);
    }
  });

  test('sends events that the service understands, newer each time', () => {
    const newest = new Map<string, number>();
    for (const [body] of madeEvents()) {
      const event = JSON.parse(body);
      expect(parseStripeEvent(projectEvent(event))).toMatchObject({
        isEvent: true,
        event: { type: event.type },
      });
      const object = event.data.object;
      const subscription = object.parent?.subscription_details.subscription ?? object.id;
      expect(subscription).toMatch(/^sub_load_x_[123]$/);
      expect(event.created).toBeGreaterThan(newest.get(subscription) ?? 0);
      newest.set(subscription, event.created);
    }
    expect(newest.size).toBe(3);
  });

  test('thresholds of usage count where usage takes part, and name what was missed', () => {
    const evaluate = `
import thresholds
class Entry:
    num_requests = 10
    def get_response_time_percentile(self, quantile):
        return 250 if quantile == 0.95 else 5
class Total(Entry):
    fail_ratio, num_failures = 0, 0
class Stats:
    entries = {(thresholds.USE, 'POST'): Entry()}
    total = Total()
for usage in (True, False):
    print(thresholds.render(thresholds.evaluate(Stats(), (9, 1), False, usage))[0])
    print('====')
`;
    const [taking, other] = python(evaluate).stdout.split('====');
    expect(taking).toContain('THRESHOLD BROKEN: use_feature p95 is 250 ms of 10, wanted < 100 ms');
    expect(taking).toMatch(/goal met +use_feature p50/);
    expect(other).not.toContain('use_feature');
  });

  test('data of an older seed have nothing to use', () => {
    const clients = 'from settings import read_settings; print(read_settings().usage_clients)';
    expect(python(clients).stdout.trim()).toBe('0');
    expect(python(clients, { ...environment, USAGE_FEATURE: 'api_calls' }).stdout.trim()).toBe('5');
  });

  test('a missing setting is named', () => {
    const { API_KEY: _key, ...rest } = environment;
    const run = python('from settings import read_settings; read_settings()', rest);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('Set API_KEY in the environment');
  });
});
