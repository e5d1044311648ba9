import { checkDependencies, readinessAnswer } from './readiness.ts';

test('a check that rejects or takes too long says `unreachable`; the others keep their word', async () => {
  const checks = await checkDependencies({
    checks: {
      database: async () => 'ok',
      queue: async () => 'may evict jobs',
      redis: () => Promise.reject(new Error('down')),
      stripe: () => new Promise(() => undefined),
    },
    deadlineMs: 20,
    isStopping: () => true,
  });
  expect(checks).toEqual({
    database: 'ok',
    queue: 'may evict jobs',
    redis: 'unreachable',
    stripe: 'unreachable',
    process: 'shutting down',
  });
});

test('only `ok` everywhere is ready; what is degraded takes no process out', () => {
  const ready = { database: 'ok', redis: 'ok' };
  expect(readinessAnswer(ready)).toEqual({ status: 200, body: { status: 'ready', checks: ready } });
  const partly = { ...ready, stripe: 'degraded: the key lacks a permission' };
  expect(readinessAnswer(partly)).toEqual({ status: 200, body: { status: 'degraded', checks: partly } });
  const away = { ...partly, redis: 'unreachable' };
  expect(readinessAnswer(away)).toEqual({ status: 503, body: { status: 'not ready', checks: away } });
  const stopping = { ...ready, process: 'shutting down' };
  expect(readinessAnswer(stopping)).toEqual({
    status: 503,
    body: { status: 'not ready', checks: stopping },
  });
});
