import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export type LoadBalancer = { url: string; close: () => Promise<void> };

function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream).pipe(client);
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) socket.on('close', end);
}

/** Spreads connections over the ports that accept them: what stands before several API processes. */
export async function startLoadBalancer(ports: readonly number[]): Promise<LoadBalancer> {
  const open = new Set<Socket>();
  let turn = 0;

  function reach(client: Socket, left: number): void {
    const port = ports[turn % ports.length];
    turn += 1;
    if (left === 0 || port === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    const refused = (): void => reach(client, left - 1);
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.off('error', refused);
      upstream.on('error', () => upstream.destroy());
      open.add(upstream);
      upstream.once('close', () => open.delete(upstream));
      join(client, upstream);
    });
  }

  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => client.destroy());
    client.once('close', () => open.delete(client));
    reach(client, ports.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
