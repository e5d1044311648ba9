import { EventEmitter, once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
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

test('what came while this process was late still counts', async () => {
  const answered = new EventEmitter();
  const port = new MessageChannel();
  port.port2.once('message', (value: unknown) => answered.emit('answer', value));
  const work = once(answered, 'answer');
  const result = withDeadline(work, late);
  port.port1.postMessage('in time');
  const busyUntil = performance.now() + 50;
  while (performance.now() < busyUntil);
  await expect(result).resolves.toEqual(['in time']);
  port.port1.close();
});

test('rejects at the deadline; a later failure is no unhandled rejection', async () => {
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
