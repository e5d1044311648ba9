import { createServer } from 'node:net';
import { freePort, waitFor } from '@billing/testing';
import { z } from 'zod';
import { readJsonFile, writeJsonFile } from '@billing/platform';
import { paths } from './paths.ts';
import { StartError } from './start-error.ts';

const portsFile = z.object({ postgres: z.number(), redis: z.number() });

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

type WantedPort = {
  readonly port: number;
  readonly what: string;
  readonly variable: string;
};

/** Throws, naming the port and the variable that changes it, when something else listens there after `patienceMs`. */
export async function requireFreePort(
  { port, what, variable }: WantedPort,
  patienceMs: number,
): Promise<void> {
  try {
    await waitFor(() => isPortFree(port), { timeoutMs: patienceMs, intervalMs: 100, what: `port ${port}` });
  } catch {
    throw new StartError(
      `Port ${port}, for ${what}, is in use: stop what listens there or set ${variable} to another port.`,
    );
  }
}

/** Ports of Postgres and Redis: those of the last start if they are free, so that open clients stay right. */
export async function choosePorts(): Promise<z.infer<typeof portsFile>> {
  const last = readJsonFile(paths.ports, portsFile);
  const ports = { postgres: await keepIfFree(last?.postgres), redis: await keepIfFree(last?.redis) };
  writeJsonFile(paths.ports, ports);
  return ports;
}

async function keepIfFree(port: number | undefined): Promise<number> {
  return port !== undefined && (await isPortFree(port)) ? port : freePort();
}
