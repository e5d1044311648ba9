import { EventEmitter, once } from 'node:events';
import { withDeadline } from './deadline.ts';

const late = { ms: 5, onTimeout: () => new Error('too late') };

test('passes on what the work gives in time', async () => {
  await expect(
    withDeadline(Promise.resolve(7), { ms: 1_000, onTimeout: () => new Error('no') }),
  ).resolves.toBe(7);
  await expect(
    withDeadline(Promise.reject(new Error('own')), { ms: 1_000, onTimeout: () => new Error('no') }),
  ).rejects.toThrow('own');
});

test('rejects at the deadline; the late failure is nobody’s unhandled rejection', async () => {
  const failure = new EventEmitter();
  const work = once(failure, 'ignored');
  const unhandled: unknown[] = [];
  const record = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', record);
  await expect(withDeadline(work, late)).rejects.toThrow('too late');
  failure.emit('error', new Error('later'));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', record);
  expect(unhandled).toEqual([]);
});
