import { agree, sharedShards } from './agree.ts';
import type { Servers } from './agree.ts';

const known = (server: string, epoch: number) => ({ servers: [server], epochs: [epoch], epoch });

test.each<
  [string, string, number, { mine: Servers; before: Servers | null; others: Servers[] }, string, number]
>([
  ['the first process', '', 0, { mine: ['A'], before: null, others: [] }, 'A', 1],
  ['a process that starts beside others', 'A', 1, { mine: ['A'], before: null, others: [] }, 'A', 1],
  ['one that goes to another server', 'A', 1, { mine: ['B'], before: ['A'], others: [] }, 'B', 2],
  ['one that follows it', 'B', 2, { mine: ['B'], before: ['A'], others: [] }, 'B', 3],
  ['one that comes back to the first', 'B', 2, { mine: ['A'], before: ['B'], others: [] }, 'A', 3],
  ['one that starts at a server that was left', 'B', 2, { mine: ['A'], before: null, others: [] }, 'A', 3],
  [
    'one that stays, while another is elsewhere',
    'B',
    2,
    { mine: ['A'], before: ['A'], others: [['B']] },
    'B',
    2,
  ],
  ['one that stays, after the other has gone', 'B', 2, { mine: ['A'], before: ['A'], others: [] }, 'A', 3],
  ['one that lost its server', 'A', 1, { mine: [''], before: ['A'], others: [] }, 'A', 1],
  ['one that finds it again', 'A', 1, { mine: ['A'], before: [''], others: [] }, 'A', 1],
])('%s', (_, server, epoch, process, expected, expectedEpoch) => {
  const agreed = agree(known(server, epoch), process);
  expect([agreed.servers, agreed.epochs, agreed.epoch]).toEqual([[expected], [expectedEpoch], expectedEpoch]);
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
