import { agree, sharedShards } from './agree.ts';
import type { Agreed, Servers } from './agree.ts';

const known = (server: string, epoch: number): Agreed => ({ servers: [server], epochs: [epoch], epoch });

type Process = { mine: Servers; before: Servers | null; others: Servers[] };

test.each<[string, Agreed, Process, Agreed]>([
  ['the first process', known('', 0), { mine: ['A'], before: null, others: [] }, known('A', 1)],
  ['one that starts beside others', known('A', 1), { mine: ['A'], before: null, others: [] }, known('A', 1)],
  ['one that goes elsewhere', known('A', 1), { mine: ['B'], before: ['A'], others: [] }, known('B', 2)],
  ['one that follows it', known('B', 2), { mine: ['B'], before: ['A'], others: [] }, known('B', 3)],
  ['one that comes back', known('B', 2), { mine: ['A'], before: ['B'], others: [] }, known('A', 3)],
  [
    'one that starts where all have left',
    known('B', 2),
    { mine: ['A'], before: null, others: [] },
    known('A', 3),
  ],
  ['one that stays', known('B', 2), { mine: ['A'], before: ['A'], others: [['B']] }, known('B', 2)],
  ['one that stays alone', known('B', 2), { mine: ['A'], before: ['A'], others: [] }, known('A', 3)],
  ['one that lost its server', known('A', 1), { mine: [''], before: ['A'], others: [] }, known('A', 1)],
  ['one that finds it again', known('A', 1), { mine: ['A'], before: [''], others: [] }, known('A', 1)],
])('%s', (_, before, process, after) => {
  expect(agree(before, process)).toEqual(after);
});

test('another cache starts with new epochs, and a shard of several changes by itself', () => {
  const two = agree(known('A', 4), { mine: ['B', 'C'], before: null, others: [] });
  expect(two).toEqual({ servers: ['B', 'C'], epochs: [5, 6], epoch: 6 });
  const moved = agree(two, { mine: ['B', 'D'], before: ['B', 'C'], others: [['B', 'C']] });
  expect(moved).toEqual({ servers: ['B', 'D'], epochs: [5, 7], epoch: 7 });
});

test.each<[Servers, Servers[], boolean[]]>([
  [['A'], [], [true]],
  [['A'], [['A'], ['A']], [true]],
  [['A'], [['A'], ['B']], [false]],
  [['A'], [['']], [true]],
  [['A', 'B'], [['A', 'C']], [true, false]],
  // One process has a single server as its cache, another one a cluster.
  [['A'], [['A', 'B']], [false]],
  [['A'], [['', '']], [true]],
])('%j beside %j', (mine, others, shared) => {
  expect(sharedShards(mine, others)).toEqual(shared);
});
