import { EventEmitter, once } from 'node:events';
import { answer } from './answers.test-support.ts';
import { createEntitlementCache, lifeMs } from './entitlement-cache.ts';
import type { EntitlementsResponse } from './wire.ts';

/** The test sets both clocks, and decides when the service answers. */
function setUp({ ttlMs = 1_000, maxEntries = 3 } = {}) {
  const moment = { wallMs: 1_000_000, steadyMs: 50 };
  const cache = createEntitlementCache({ ttlMs, maxEntries, now: () => ({ ...moment }) });
  const asked: string[] = [];
  const pass = (ms: number): void => {
    moment.wallMs += ms;
    moment.steadyMs += ms;
  };
  const ask = (userId: string, fields: Partial<EntitlementsResponse> = {}) =>
    cache.read(userId, () => {
      asked.push(userId);
      return Promise.resolve(answer({ user_id: userId, ...fields }));
    });
  const askLater = (userId: string) => {
    const answers = new EventEmitter();
    const read = cache.read(userId, async () => {
      asked.push(userId);
      const [received] = await once(answers, 'answer');
      return received as EntitlementsResponse;
    });
    return {
      read,
      resolve: (received: EntitlementsResponse) => answers.emit('answer', received),
      reject: (error: Error) => answers.emit('error', error),
    };
  };
  return { cache, moment, asked, pass, ask, askLater };
}

test('an answer is used until its ttl is over, and not a moment longer', async () => {
  const { ask, asked, pass } = setUp();
  await ask('a');
  pass(999);
  await ask('a');
  expect(asked).toEqual(['a']);
  pass(1);
  await ask('a');
  expect(asked).toEqual(['a', 'a']);
});

test('the age counts from the request: a slow answer is not young', async () => {
  const { ask, askLater, asked, pass } = setUp();
  const slow = askLater('a');
  pass(700);
  slow.resolve(answer({ user_id: 'a' }));
  await slow.read;
  pass(299);
  await ask('a');
  expect(asked).toHaveLength(1);
  pass(1);
  await ask('a');
  expect(asked).toHaveLength(2);
});

test.each([
  { validUntil: null, life: 1_000 },
  { validUntil: '2026-11-22T10:00:03.400Z', life: 400 },
  { validUntil: '2026-11-22T11:00:00.000Z', life: 1_000 },
])("valid_until $validUntil by the service's own clock: $life ms", ({ validUntil, life }) => {
  expect(lifeMs(answer({ valid_until: validUntil }), 1_000)).toBe(life);
});

test('an answer is dropped at its valid_until, before its ttl', async () => {
  const { ask, asked, pass } = setUp();
  await ask('a', { valid_until: '2026-11-22T10:00:03.400Z' });
  pass(399);
  await ask('a');
  expect(asked).toHaveLength(1);
  pass(1);
  await ask('a');
  expect(asked).toHaveLength(2);
});

test('an expired answer is not kept', async () => {
  const { ask, asked } = setUp();
  await ask('a', { valid_until: '2026-11-22T10:00:03.000Z' });
  await ask('a');
  expect(asked).toHaveLength(2);
});

test.each([
  { clock: 'the wall clock is set back', wallMs: -3_600_000, steadyMs: 1_000 },
  { clock: 'the machine slept and the steady clock stood still', wallMs: 1_000, steadyMs: 0 },
])('an answer still ends when $clock', async ({ wallMs, steadyMs }) => {
  const { ask, asked, moment } = setUp();
  await ask('a');
  moment.wallMs += wallMs;
  moment.steadyMs += steadyMs;
  await ask('a');
  expect(asked).toHaveLength(2);
});

test('concurrent calls share one request', async () => {
  const { askLater, asked } = setUp();
  const first = askLater('a');
  const rest = Array.from({ length: 20 }, () => askLater('a').read);
  first.resolve(answer({ user_id: 'a', version: 9 }));
  const answers = await Promise.all([first.read, ...rest]);
  expect(asked).toHaveLength(1);
  expect(answers.map((one) => one.version)).toEqual(Array.from({ length: 21 }, () => 9));
});

test('a request sent longer ago than the ttl is not shared', async () => {
  const { askLater, ask, asked, pass } = setUp();
  const first = askLater('a');
  pass(1_000);
  const second = await ask('a', { version: 8 });
  expect(second.version).toBe(8);
  first.resolve(answer({ user_id: 'a', version: 7 }));
  await first.read;
  expect((await ask('a')).version).toBe(8);
  expect(asked).toHaveLength(2);
});

test('a caller that shared a request whose answer was expired on arrival asks again', async () => {
  const { askLater, ask, asked, pass } = setUp();
  const first = askLater('a');
  pass(900);
  const shared = ask('a', { version: 8 });
  first.resolve(answer({ user_id: 'a', valid_until: '2026-11-22T10:00:03.400Z' }));
  expect((await shared).version).toBe(8);
  expect(asked).toHaveLength(2);
});

test('a failure reaches all waiting callers, and is not remembered', async () => {
  const { askLater, ask, asked } = setUp();
  const first = askLater('a');
  const second = askLater('a');
  first.reject(new Error('away'));
  await expect(first.read).rejects.toThrow('away');
  await expect(second.read).rejects.toThrow('away');
  await ask('a');
  expect(asked).toHaveLength(2);
});

test('the oldest are dropped', async () => {
  const { ask, asked } = setUp({ maxEntries: 2 });
  await ask('a');
  await ask('b');
  await ask('c');
  await ask('b');
  await ask('c');
  expect(asked).toEqual(['a', 'b', 'c']);
  await ask('a');
  expect(asked).toEqual(['a', 'b', 'c', 'a']);
});

test.each([['a'], [undefined]])(
  'what is forgotten (%p) is asked again, requests in flight included',
  async (which) => {
    const { cache, ask, askLater, asked } = setUp();
    await ask('a');
    cache.forget(which);
    const late = askLater('a');
    cache.forget(which);
    late.resolve(answer({ user_id: 'a', version: 1 }));
    await late.read;
    expect((await ask('a', { version: 2 })).version).toBe(2);
    expect(asked).toHaveLength(3);
  },
);

test('forgetting one user keeps the others', async () => {
  const { cache, ask, asked } = setUp();
  await ask('a');
  await ask('b');
  cache.forget('a');
  await ask('b');
  expect(asked).toEqual(['a', 'b']);
});

test('ids that look like names of objects are ids', async () => {
  const { ask, asked } = setUp();
  await ask('__proto__');
  await ask('constructor');
  await ask('__proto__');
  expect(asked).toEqual(['__proto__', 'constructor']);
});
