import { Worker } from 'node:worker_threads';
import type { ProxyMode } from '@billing/testing';

export type Proxy = {
  port: number;
  setMode: (mode: ProxyMode) => Promise<void>;
  setDelay: (delayMs: number) => Promise<void>;
  dropConnections: () => Promise<void>;
  deadConnectionCount: () => Promise<number>;
};

export type ProxyTarget = { name: string; port: number; listenOn: number };

type Reply = { id: number; result?: unknown; error?: string };

/** One proxy (`createTestProxy`) per target, all in one thread of their own, by the targets' names. */
export async function startProxies(targets: readonly ProxyTarget[]) {
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
  const proxyOf = ({ name, listenOn }: ProxyTarget): Proxy => ({
    port: listenOn,
    setMode: async (mode) => void (await call(name, 'setMode', mode)),
    setDelay: async (delayMs) => void (await call(name, 'setDelay', delayMs)),
    dropConnections: async () => void (await call(name, 'dropConnections')),
    deadConnectionCount: async () => Number(await call(name, 'deadConnectionCount')),
  });
  return {
    proxies: new Map(targets.map((target) => [target.name, proxyOf(target)])),
    close: async (): Promise<void> => void (await thread.terminate()),
  };
}
