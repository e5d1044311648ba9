import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/**
 * What a pooler does with start-up parameters that it does not know: PgBouncer refuses the connection, as others do;
 * some take the parameter and do nothing about it.
 */
export type TestPoolerOptions = { port: number; parameters: readonly string[]; does: 'refuse' | 'ignore' };

export type TestPooler = { urlFor: (targetUrl: string) => string; close: () => Promise<void> };

const sslRequestCode = 80_877_103;

/** Stands in for a connection pooler in front of the Postgres at `port`: it only treats start-up parameters as one does. */
export async function startTestPooler({ port, parameters, does }: TestPoolerOptions): Promise<TestPooler> {
  const isUnknown = (name: string): boolean =>
    parameters.some((one) => one.toLowerCase() === name.toLowerCase());
  const sockets = new Set<Socket>();

  function forward(client: Socket, startup: Buffer): void {
    const upstream = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    upstream.write(startup);
    client.pipe(upstream).pipe(client);
  }

  function begin(client: Socket, message: Buffer): void {
    if (message.readInt32BE(4) === sslRequestCode) {
      client.write('N');
      client.once('data', (next: Buffer) => begin(client, next));
      return;
    }
    const asked = readStartup(message);
    const unknown = asked.find(([name]) => isUnknown(name));
    if (unknown !== undefined && does === 'refuse')
      return void client.end(refusal(`unsupported startup parameter: ${unknown[0]}`));
    forward(client, writeStartup(asked.filter(([name]) => !isUnknown(name))));
  }

  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined).on('close', () => sockets.delete(client));
    client.once('data', (message: Buffer) => begin(client, message));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const ownPort = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    urlFor(targetUrl) {
      const url = new URL(targetUrl);
      url.port = String(ownPort);
      return url.href;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const headerBytes = 8;

/** Names and values of a start-up message: length, version, then texts that each end with a NUL. */
function readStartup(message: Buffer): [name: string, value: string][] {
  const texts = message.subarray(headerBytes, message.readInt32BE(0)).toString().split('\0');
  const pairs: [string, string][] = [];
  for (let index = 0; texts[index]; index += 2) pairs.push([texts[index] ?? '', texts[index + 1] ?? '']);
  return pairs;
}

function writeStartup(pairs: readonly (readonly [string, string])[]): Buffer {
  const body = Buffer.from(`${pairs.flat().join('\0')}\0\0`);
  const header = Buffer.alloc(headerBytes);
  header.writeInt32BE(headerBytes + body.length, 0);
  header.writeInt16BE(3, 4);
  return Buffer.concat([header, body]);
}

/** Postgres's message for a connection that it ends. */
function refusal(text: string): Buffer {
  const body = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${text}\0\0`);
  const header = Buffer.alloc(5);
  header.write('E');
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}
