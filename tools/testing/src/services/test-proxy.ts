import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../processes/ports.ts';

/**
 * `pass`: forwards everything. `refuse`: the port is closed, and open connections are reset. `freeze`: connections
 * stay open, new ones are accepted, and bytes wait until it passes again. `half_open`: bytes vanish, and these
 * connections never answer again, also when it passes again. `cut_replies`: requests get through; at the first byte
 * of the reply the connection is reset.
 */
export type ProxyMode = 'pass' | 'refuse' | 'freeze' | 'half_open' | 'cut_replies';

export type TestProxy = {
  port: number;
  /** The target's URL with this proxy's address in place of its own. */
  urlFor: (targetUrl: string) => string;
  setMode: (mode: ProxyMode) => Promise<void>;
  /** New connections lead to another port, as after a failover; those that are open stay. */
  leadTo: (port: number) => void;
  /** Each piece of data of either direction arrives this much later, in order. */
  setDelay: (delayMs: number) => void;
  /** Resets all open connections. */
  dropConnections: () => void;
  connectionCount: () => number;
  /** Half-open connections that the client has not given up yet. */
  deadConnectionCount: () => number;
  close: () => Promise<void>;
};

type State = { mode: ProxyMode; delayMs: number; leadsTo: number };

type Link = {
  client: Socket;
  upstream: Socket;
  /** A half-open connection stays dead when the fault is over. */
  isDead: boolean;
};

/** Where the proxy leads to, and (default: any free one) the port on which it listens itself. */
export type ProxyTarget = { port: number; host?: string; listenOn?: number };

/** A TCP proxy on loopback in front of `target`; the test switches its faults. */
export async function createTestProxy(target: ProxyTarget): Promise<TestProxy> {
  const port = target.listenOn ?? (await freePort());
  const state: State = { mode: 'pass', delayMs: 0, leadsTo: target.port };
  const links = new Set<Link>();
  let server = await listen();

  function listen(): Promise<Server> {
    const listener = createServer((client) => accept(client));
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, '127.0.0.1', () => resolve(listener));
    });
  }

  function accept(client: Socket): void {
    const upstream = connect(state.leadsTo, target.host ?? '127.0.0.1');
    const link: Link = { client, upstream, isDead: state.mode === 'half_open' };
    links.add(link);
    const end = (): void => {
      links.delete(link);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      // A half-open peer does not learn of the end either.
      socket.on('close', () => (link.isDead && socket === upstream ? undefined : end()));
      if (state.mode === 'freeze') socket.pause();
    }
    forward({ link, from: client, to: upstream, state });
    forward({ link, from: upstream, to: client, state });
  }

  async function stopListening(): Promise<void> {
    for (const { client, upstream } of links) {
      client.resetAndDestroy();
      upstream.destroy();
    }
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  function dropConnections(): void {
    for (const { client } of links) client.resetAndDestroy();
  }

  return {
    port,
    urlFor: (targetUrl) => {
      const url = new URL(targetUrl);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    setMode: async (mode) => {
      const previous = state.mode;
      state.mode = mode;
      if (mode === 'refuse' && previous !== 'refuse') await stopListening();
      if (mode !== 'refuse' && previous === 'refuse') server = await listen();
      for (const link of links) {
        if (mode === 'half_open') link.isDead = true;
        for (const socket of [link.client, link.upstream]) {
          if (mode === 'freeze') socket.pause();
          else socket.resume();
        }
      }
    },
    leadTo: (newPort) => {
      state.leadsTo = newPort;
    },
    setDelay: (delayMs) => {
      state.delayMs = delayMs;
    },
    dropConnections,
    connectionCount: () => links.size,
    deadConnectionCount: () => [...links].filter((link) => link.isDead).length,
    close: async () => {
      if (state.mode !== 'refuse') await stopListening();
    },
  };
}

type Direction = { link: Link; from: Socket; to: Socket; state: Readonly<State> };

function forward({ link, from, to, state }: Direction): void {
  let queued = Promise.resolve();
  let waiting = 0;
  function pass(chunk: Buffer): void {
    if (to.writable && !link.isDead) to.write(chunk);
  }
  from.on('data', (chunk: Buffer) => {
    if (link.isDead) return;
    if (state.mode === 'cut_replies' && from === link.upstream) return void link.client.resetAndDestroy();
    if (state.delayMs === 0 && waiting === 0) return pass(chunk);
    const dueAt = Date.now() + state.delayMs;
    waiting += 1;
    queued = queued
      .then(() => sleep(Math.max(0, dueAt - Date.now())))
      .then(() => {
        waiting -= 1;
        return pass(chunk);
      });
  });
}
