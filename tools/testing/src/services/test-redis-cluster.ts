import { Redis } from 'ioredis';
import { waitFor } from '../wait-for.ts';
import { startTestRedis } from './test-redis.ts';
import type { TestRedis } from './test-redis.ts';

const slotCount = 16_384;

export type ClusterNode = { server: TestRedis; redis: Redis; id: string };

export type TestRedisCluster = {
  /** `redis+cluster://` of all nodes. */
  url: string;
  primaries: readonly ClusterNode[];
  /** Of the primary at the same place. */
  replicas: readonly ClusterNode[];
  /** Moves a slot with its keys, as `redis-cli --cluster reshard` does. */
  moveSlot: (slot: number, move: { from: ClusterNode; to: ClusterNode; pauseMs?: number }) => Promise<void>;
  stop: () => Promise<void>;
};

async function startNode(port: number, nodeTimeoutMs: number): Promise<ClusterNode> {
  const server = await startTestRedis({
    port,
    settings: [
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      String(nodeTimeoutMs),
      '--repl-diskless-sync-delay',
      '0',
    ],
  });
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 100, maxRetriesPerRequest: 3 });
  redis.on('error', () => undefined);
  return { server, redis, id: await redis.cluster('MYID') };
}

async function isWhole({ redis }: ClusterNode, nodes: number): Promise<boolean> {
  const info = await redis.cluster('INFO');
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}`);
}

async function moveSlot(
  slot: number,
  {
    from,
    to,
    all,
    pauseMs = 0,
  }: { from: ClusterNode; to: ClusterNode; all: readonly ClusterNode[]; pauseMs?: number },
): Promise<void> {
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  for (;;) {
    const keys: unknown = await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 2);
    if (!Array.isArray(keys) || keys.length === 0) break;
    await from.redis.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5_000, 'KEYS', ...keys.map(String));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  for (const node of [to, from, ...all.filter((one) => one !== to && one !== from)])
    await node.redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
}

/** A real Redis Cluster of primaries with a replica each. */
export async function startTestRedisCluster({
  ports,
  nodeTimeoutMs = 1_500,
}: {
  /** Half of them become primaries. */
  ports: readonly number[];
  nodeTimeoutMs?: number;
}): Promise<TestRedisCluster> {
  const nodes = await Promise.all(ports.map((port) => startNode(port, nodeTimeoutMs)));
  const half = ports.length / 2;
  const [primaries, replicas] = [nodes.slice(0, half), nodes.slice(half)];
  await Promise.all(
    primaries.map(({ redis }, index) => {
      const [first, next] = [index, index + 1].map((part) => Math.floor((part * slotCount) / half));
      return redis.call('CLUSTER', 'ADDSLOTSRANGE', first ?? 0, (next ?? 0) - 1);
    }),
  );
  const [first] = primaries;
  for (const { server } of nodes.slice(1))
    await first?.redis.call('CLUSTER', 'MEET', '127.0.0.1', server.port);
  const untilWhole = (): Promise<unknown> =>
    waitFor(
      async () => (await Promise.all(nodes.map((node) => isWhole(node, nodes.length)))).every(Boolean),
      {
        what: 'the Redis Cluster',
        timeoutMs: 30_000,
      },
    );
  await untilWhole();
  for (const [index, { redis }] of replicas.entries())
    await redis.call('CLUSTER', 'REPLICATE', primaries[index]?.id ?? '');
  await waitFor(
    async () =>
      (await Promise.all(replicas.map(({ redis }) => redis.info('replication')))).every((info) =>
        info.includes('master_link_status:up'),
      ),
    { what: 'the replicas', timeoutMs: 30_000 },
  );
  await untilWhole();
  return {
    url: `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    primaries,
    replicas,
    moveSlot: (slot, move) => moveSlot(slot, { ...move, all: primaries }),
    stop: async () => {
      for (const { redis, server } of nodes) {
        redis.disconnect();
        server.resume();
      }
      await Promise.all(nodes.map(({ server }) => server.kill()));
    },
  };
}
