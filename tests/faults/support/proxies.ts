import { Worker } from 'node:worker_threads';
import type { ProxyMode } from '@billing/testing';
import { takePort } from './service-process.ts';

export const dependencyNames = ['database', 'queue', 'cache', 'stripe'] as const;
export type DependencyName = (typeof dependencyNames)[number];
export type Side = 'api' | 'worker';
export const bothSides: readonly Side[] = ['api', 'worker'];

export type Proxy = {
  /** The URL of the dependency with this proxy's address in place of its own. */
  urlFor: (url: string) => string;
  setMode: (mode: ProxyMode) => Promise<void>;
  setDelay: (delayMs: number) => Promise<void>;
  /** Leads to another port, and resets all open connections. */
  leadTo: (port: number) => Promise<void>;
  dropConnections: () => Promise<void>;
  deadConnectionCount: () => Promise<number>;
};

export type Proxies = {
  proxyOf: (side: Side, name: DependencyName) => Proxy;
  close: () => Promise<void>;
};

type Reply = { id: number; result?: unknown; error?: string };

/** A proxy (`createTestProxy`) of each side for each dependency, all in a thread of their own. */
export async function startProxies(ports: Record<DependencyName, number>): Promise<Proxies> {
  const targets = await Promise.all(
    bothSides.flatMap((side) =>
      dependencyNames.map(async (name) => ({
        name: `${side} to ${name}`,
        port: ports[name],
        listenOn: await takePort(),
      })),
    ),
  );
  const thread = new Worker(new URL('./proxy-thread.mjs', import.meta.url), { workerData: targets });
  const asked = new Map<number, (reply: Reply) => void>();
  let lastId = 0;
  const reply = (id: number): Promise<Reply> => new Promise((resolve) => asked.set(id, resolve));
  thread.on('message', (message: Reply) => {
    asked.get(message.id)?.(message);
    asked.delete(message.id);
  });
  const failed = new Promise<never>((_, reject) => thread.once('error', reject));
  failed.catch(() => undefined);

  async function call(name: string, method: keyof Proxy, ...args: unknown[]): Promise<unknown> {
    lastId += 1;
    const answer = reply(lastId);
    thread.postMessage({ id: lastId, name, method, args });
    const { result, error } = await Promise.race([answer, failed]);
    if (error !== undefined) throw new Error(`${method} of the proxy of ${name}: ${error}`);
    return result;
  }

  await Promise.race([reply(0), failed]);
  const proxies = new Map(
    targets.map(({ name, listenOn }): [string, Proxy] => [
      name,
      {
        urlFor: (url) => Object.assign(new URL(url), { host: `127.0.0.1:${listenOn}` }).href,
        setMode: async (mode) => void (await call(name, 'setMode', mode)),
        setDelay: async (delayMs) => void (await call(name, 'setDelay', delayMs)),
        leadTo: async (port) => {
          await call(name, 'leadTo', port);
          await call(name, 'dropConnections');
        },
        dropConnections: async () => void (await call(name, 'dropConnections')),
        deadConnectionCount: async () => Number(await call(name, 'deadConnectionCount')),
      },
    ]),
  );
  return {
    proxyOf: (side, name) => {
      const proxy = proxies.get(`${side} to ${name}`);
      if (proxy === undefined) throw new Error('a proxy for each dependency');
      return proxy;
    },
    close: async () => void (await thread.terminate()),
  };
}
