import { createReadiness, decideReadiness, ok } from './readiness.ts';
import type { Finding } from './readiness.ts';

const away: Finding = { state: 'away', says: 'unreachable' };
const impaired: Finding = { state: 'impaired', says: 'refuses writes' };
const blocked: Finding = { state: 'blocked', says: 'a migration is missing' };
const noted: Finding = { state: 'noted', says: 'look at it' };

test.each<[string, Finding, { hasBegun?: boolean; isStopping?: boolean; isOfUse?: boolean }, string]>([
  ['all is well', ok, {}, 'ready'],
  ['not all was reached yet', ok, { hasBegun: false }, 'not ready'],
  ['a dependency is away before the process began', away, { hasBegun: false }, 'not ready'],
  ['a dependency is away', away, {}, 'degraded'],
  ['a dependency is away, and nothing can be answered', away, { isOfUse: false }, 'not ready'],
  ['a dependency refuses writes', impaired, {}, 'degraded'],
  ['a dependency refuses writes, and this process only writes', impaired, { isOfUse: false }, 'not ready'],
  ['the version and the database do not fit', blocked, {}, 'not ready'],
  ['something is to be looked at', noted, {}, 'degraded'],
  ['something is to be looked at by a process that only writes', noted, { isOfUse: false }, 'degraded'],
  ['it shuts down', ok, { isStopping: true }, 'not ready'],
])('%s', (_what, finding, state, expected) => {
  const findings = { database: finding, redis: ok };
  const { status, body } = decideReadiness({
    findings,
    hasBegun: true,
    isStopping: false,
    isOfUse: true,
    ...state,
  });
  expect(body.status).toBe(expected);
  expect(status).toBe(expected === 'not ready' ? 503 : 200);
  expect(body.checks).toEqual({
    database: finding.state === 'ok' ? 'ok' : finding.says,
    redis: 'ok',
    ...(state.isStopping === true ? { process: 'shutting down' } : {}),
  });
});

test('a check that rejects or takes too long says `unreachable`; the others keep their word', async () => {
  const readiness = createReadiness({
    checks: {
      database: async () => ok,
      queue: async () => ({ state: 'blocked', says: 'may evict jobs' }),
      redis: () => Promise.reject(new Error('down')),
      stripe: () => new Promise(() => undefined),
    },
    deadlineMs: 20,
    isStopping: () => false,
    isOfUse: () => true,
  });
  const { body } = await readiness.ask();
  expect(body.checks).toEqual({
    database: 'ok',
    queue: 'may evict jobs',
    redis: 'unreachable',
    stripe: 'unreachable',
  });
});

test('what was reached once counts as reached from then on', async () => {
  let [database, redis]: Finding[] = [ok, away];
  const readiness = createReadiness({
    checks: { database: async () => database ?? ok, redis: async () => redis ?? ok },
    deadlineMs: 1_000,
    isStopping: () => false,
    isOfUse: () => true,
  });
  expect((await readiness.ask()).body.status).toBe('not ready');
  [database, redis] = [away, ok];
  expect((await readiness.ask()).body.status).toBe('degraded');
  expect(readiness.hasBegun()).toBe(true);
  [database, redis] = [ok, ok];
  expect((await readiness.ask()).body.status).toBe('ready');
});
