import { setImmediate as nextTurn } from 'node:timers/promises';
import { createBatchScheduler } from './batch-scheduler.ts';

/** A pace over a queue of numbers; each batch takes all that waits and ends when told. */
function paced() {
  let waiting = 0;
  const batches: { size: number; end: () => void }[] = [];
  const pace = createBatchScheduler({
    start: () => {
      if (waiting === 0) return null;
      const size = waiting;
      waiting = 0;
      return new Promise((resolve) => batches.push({ size, end: resolve }));
    },
    hasBacklog: () => waiting >= 10,
  });
  return {
    come: (count: number): void => {
      waiting += count;
      pace.schedule();
    },
    sizes: () => batches.map(({ size }) => size),
    end: async (index: number): Promise<void> => {
      batches[index]?.end();
      await nextTurn();
      await nextTurn();
    },
  };
}

describe('the pace of batches', () => {
  test('what comes in one turn of the event loop goes together, at the end of it', async () => {
    const { come, sizes } = paced();
    come(1);
    come(2);
    expect(sizes()).toEqual([]);
    await nextTurn();
    expect(sizes()).toEqual([3]);
  });

  test('what comes while a batch is under way waits for its end', async () => {
    const { come, sizes, end } = paced();
    come(1);
    await nextTurn();
    come(1);
    come(1);
    await nextTurn();
    expect(sizes()).toEqual([1]);
    await end(0);
    expect(sizes()).toEqual([1, 2]);
  });

  test('a backlog does not wait; a third batch does', async () => {
    const { come, sizes, end } = paced();
    come(1);
    await nextTurn();
    come(10);
    await nextTurn();
    expect(sizes()).toEqual([1, 10]);
    come(20);
    await nextTurn();
    expect(sizes()).toEqual([1, 10]);
    await end(0);
    expect(sizes()).toEqual([1, 10, 20]);
  });
});
