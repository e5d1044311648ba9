import { setImmediate as nextTurn } from 'node:timers/promises';
import { createBatchScheduler } from './apply-events.ts';

/** A scheduler over a count of waiting jobs; each batch takes all of them and ends when told. */
function startScheduler() {
  let waiting = 0;
  const batches: { size: number; end: () => void }[] = [];
  const scheduler = createBatchScheduler({
    start: () => {
      if (waiting === 0) return null;
      const size = waiting;
      waiting = 0;
      return new Promise((resolve) => batches.push({ size, end: resolve }));
    },
    hasBacklog: () => waiting >= 10,
  });
  return {
    arrive: (count: number): void => {
      waiting += count;
      scheduler.schedule();
    },
    sizes: () => batches.map(({ size }) => size),
    end: async (index: number): Promise<void> => {
      batches[index]?.end();
      await nextTurn();
      await nextTurn();
    },
  };
}

describe('batches of events', () => {
  test('jobs that arrive in one turn of the event loop go together, at the end of it', async () => {
    const { arrive, sizes } = startScheduler();
    arrive(1);
    arrive(2);
    expect(sizes()).toEqual([]);
    await nextTurn();
    expect(sizes()).toEqual([3]);
  });

  test('jobs that arrive while a batch is running wait for its end', async () => {
    const { arrive, sizes, end } = startScheduler();
    arrive(1);
    await nextTurn();
    arrive(1);
    arrive(1);
    await nextTurn();
    expect(sizes()).toEqual([1]);
    await end(0);
    expect(sizes()).toEqual([1, 2]);
  });

  test('a backlog does not wait; a third batch does', async () => {
    const { arrive, sizes, end } = startScheduler();
    arrive(1);
    await nextTurn();
    arrive(10);
    await nextTurn();
    expect(sizes()).toEqual([1, 10]);
    arrive(20);
    await nextTurn();
    expect(sizes()).toEqual([1, 10]);
    await end(0);
    expect(sizes()).toEqual([1, 10, 20]);
  });
});
