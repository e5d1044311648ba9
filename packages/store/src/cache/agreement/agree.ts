/** Which servers the processes use, by shard; an empty name: none. */
export type Servers = readonly string[];

export type Agreed = {
  servers: Servers;
  /** By shard: grows with each change of its server. */
  epochs: readonly number[];
  /** The last one that was given. */
  epoch: number;
};

/**
 * What is agreed after a process says which servers it uses (`mine`; `before`: what it said last). A shard gets a new epoch
 * when the process comes to a server that is another than the agreed one or than its own before: what was told to the
 * one was not told to the other, and a server that comes back may have missed changes meanwhile.
 */
export function agree(
  known: Agreed,
  { mine, before, others }: { mine: Servers; before: Servers | null; others: readonly Servers[] },
): Agreed {
  if (mine.every((server) => server === '')) return known;
  const isOtherCache = known.servers.length !== mine.length;
  let { epoch } = known;
  const shards = mine.map((server, shard) => {
    const last = isOtherCache ? '' : (known.servers[shard] ?? '');
    const own = before?.length === mine.length ? (before[shard] ?? '') : '';
    // Who was here all the time leaves the agreed server to those who use it.
    const isLeft = own === server && others.some((other) => last !== '' && other[shard] === last);
    const isSame = server === '' || isLeft || (server === last && (own === '' || own === server));
    if (isSame) return { server: last, epoch: isOtherCache ? 0 : (known.epochs[shard] ?? 0) };
    epoch += 1;
    return { server, epoch };
  });
  return { servers: shards.map(({ server }) => server), epochs: shards.map((one) => one.epoch), epoch };
}

/** By shard: whether no other process uses another server for it. A process that uses none stands in nobody's way. */
export function sharedShards(mine: Servers, others: readonly Servers[]): boolean[] {
  return mine.map((server, shard) =>
    others.every((other) =>
      other.length === mine.length
        ? other[shard] === '' || other[shard] === server || server === ''
        : other.every((one) => one === ''),
    ),
  );
}

export const areSame = (one: Servers, other: Servers): boolean =>
  one.length === other.length && one.every((server, shard) => server === other[shard]);
