import type { Redis } from 'ioredis';

/** What a Redis server says of itself. */
export type ServerState = {
  /** False: a replica, which cannot be told of changes. */
  isPrimary: boolean;
  /** Whether it is a node of a Redis Cluster. */
  isClusterNode: boolean;
  /**
   * Its replication id and that of its process: new with every start, and with every promotion. Null: it does not tell
   * both.
   */
  id: string | null;
};

const idForm = /^[0-9a-f]{40}$/;

/** Asks a server for what tells it from every other one. Throws where it does not answer. */
export async function readServerState(redis: Pick<Redis, 'info'>): Promise<ServerState> {
  const [server, replication] = await Promise.all([redis.info('server'), redis.info('replication')]);
  return serverStateOf(`${server}\n${replication}`);
}

/** The same from the text of INFO. */
export function serverStateOf(info: string): ServerState {
  const valueOf = (field: string): string => new RegExp(`^${field}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
  const ids = [valueOf('master_replid'), valueOf('run_id')];
  return {
    isPrimary: valueOf('role') !== 'slave',
    isClusterNode: valueOf('redis_mode') === 'cluster' || valueOf('cluster_enabled') === '1',
    id: ids.every((id) => idForm.test(id)) ? ids.join('-') : null,
  };
}
