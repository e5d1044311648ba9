import { startTestApi } from '../testing/start-test-api.test-support.ts';
import { warmCheckout } from './warm-checkout.ts';

test('the way of a checkout is warmed without a sale, a call to Stripe, or a line in the log', async () => {
  const api = await startTestApi();
  const before = api.logs.length;
  await warmCheckout(api.deps);
  expect(api.logs.slice(before)).toEqual([]);
  expect(await api.deps.database.user.count()).toBe(0);
  expect(
    await api.deps.metrics.registry.getSingleMetricAsString('stripe_request_duration_seconds'),
  ).not.toContain('_count');
  await api.close();
});
