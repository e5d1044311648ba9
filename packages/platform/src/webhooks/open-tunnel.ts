import { request } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { isAddress } from './allowed-address.ts';
import { hostOf } from './check-webhook-url.ts';

/** The proxy did not connect to the host: it refused it, or could not reach it. */
export class ProxyRefused extends Error {
  override readonly name = 'ProxyRefused';
  readonly code = 'proxy_refused';
}

type Tunnel = { proxy: string; url: URL; signal: AbortSignal };

const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80');

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}

/** A connection to the URL's host through an HTTP proxy, by CONNECT. Throws ProxyRefused, or what the connection throws. */
function connectThrough({ proxy, url, signal }: Tunnel): Promise<Socket> {
  const server = new URL(proxy);
  const place = `${url.hostname}:${portOf(url)}`;
  return new Promise((resolve, reject) => {
    const asked = request({
      host: hostOf(server),
      port: portOf(server),
      method: 'CONNECT',
      path: place,
      headers: { host: place, ...credentialsOf(server) },
      agent: false,
      signal,
    });
    const refuse = (status: number | undefined): void =>
      reject(new ProxyRefused(`the proxy answered ${status}`));
    asked.on('error', reject);
    asked.on('response', (answer) => {
      refuse(answer.statusCode);
      asked.destroy();
    });
    asked.on('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket);
      refuse(statusCode);
      socket.destroy();
    });
    asked.end();
  });
}

/** As `connectThrough`, with TLS to the host itself where its URL says so. */
export async function openTunnel(tunnel: Tunnel): Promise<Socket> {
  const socket = await connectThrough(tunnel);
  if (tunnel.url.protocol === 'http:') return socket;
  const host = hostOf(tunnel.url);
  return connect({ socket, host, ...(isAddress(host) ? {} : { servername: host }) });
}
