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

test('only `ok` everywhere is ready', () => {
  const ready = { database: 'ok', redis: 'ok' };
  expect(readinessAnswer(ready)).toEqual({ status: 200, body: { status: 'ready', checks: ready } });
  const stopping = { ...ready, process: 'shutting down' };
  expect(readinessAnswer(stopping)).toEqual({
    status: 503,
    body: { status: 'not ready', checks: stopping },
  });
});
