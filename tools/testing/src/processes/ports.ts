import { createServer } from 'node:net';

/** Listens on a port of loopback (0: any free one) for a moment; the port, or undefined where it is in use. */
function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

export const isPortFree = async (port: number): Promise<boolean> => (await tryPort(port)) !== undefined;

/** A TCP port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const port = await tryPort(0);
  if (port === undefined) throw new Error('No port of 127.0.0.1 is free.');
  return port;
}

/** The port of before, if it is free and not among those that others of the same start will take; else another free one. */
export async function keepPort(before: number | undefined, others: readonly number[] = []): Promise<number> {
  const isKept = before !== undefined && !others.includes(before) && (await isPortFree(before));
  const port = isKept ? before : await freePort();
  return others.includes(port) ? keepPort(undefined, others) : port;
}
