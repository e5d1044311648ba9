import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { isAddress, isAllowedAddress } from './allowed-address.ts';
import type { Network } from './allowed-address.ts';

export type WebhookGuard = {
  allowsHttp: boolean;
  allowedNetworks: readonly Network[];
  /** An HTTP proxy, which resolves names itself; undefined: none. */
  proxy: string | undefined;
  /** Default: the system's resolver, hosts file included. */
  resolve?: Resolve;
};

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

/** The URL, or the address that it leads to, is none that may be called. `message` is for who typed it. */
export class UrlNotAllowed extends Error {
  override readonly name = 'UrlNotAllowed';
  readonly code = 'url_not_allowed';
}

const notAllowed = (host: string): UrlNotAllowed =>
  new UrlNotAllowed(
    `${host} is, or resolves to, an address that is not public. Allow its network with WEBHOOK_ALLOWED_NETWORKS, if it is yours; link-local addresses and those of clouds' metadata are never called.`,
  );

/** Of a URL: its host as connections take it, without the brackets of IPv6. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** All that can be told of a URL without asking anybody. Throws UrlNotAllowed. */
export function readWebhookUrl(text: string, { allowsHttp, allowedNetworks }: WebhookGuard): URL {
  if (!URL.canParse(text)) throw new UrlNotAllowed('Expected a URL such as https://example.com/webhooks.');
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowsHttp && url.protocol === 'http:'))
    throw new UrlNotAllowed(`Expected a URL that begins with https://${allowsHttp ? ' or http://' : ''}.`);
  if (url.username !== '' || url.password !== '')
    throw new UrlNotAllowed('Take user name and password out of the URL.');
  const host = hostOf(url);
  if (isAddress(host) && !isAllowedAddress(host, allowedNetworks)) throw notAllowed(host);
  return url;
}

/** Look-ups under way: the system's resolver has few threads, and a name that does not answer takes one of them at most. */
const underWay = new Map<string, Promise<LookupAddress[]>>();

const askSystem: Resolve = (host) => {
  const known = underWay.get(host);
  if (known !== undefined) return known;
  const asked = lookup(host, { all: true }).finally(() => underWay.delete(host));
  underWay.set(host, asked);
  return asked;
};

/** The addresses of a name, all of which may be called. Throws UrlNotAllowed, or what the resolver throws. */
async function resolveAllowed(
  host: string,
  { allowedNetworks, resolve = askSystem }: WebhookGuard,
): Promise<LookupAddress[]> {
  const found = await resolve(host);
  if (!found.every(({ address }) => isAllowedAddress(address, allowedNetworks))) throw notAllowed(host);
  return found;
}

/** The look-up of connections that take all addresses of a name: those that it checks are those that are connected to. */
export const guardedLookup =
  (guard: WebhookGuard): LookupFunction =>
  (host, _options, callback) =>
    callbackify(resolveAllowed)(host, guard, (error, found) => callback(error, found ?? []));

/**
 * Whether a URL may be called by webhooks, as far as can be told before: its form, and, unless a proxy resolves names, that its
 * name resolves to addresses that may be called. Throws UrlNotAllowed.
 */
export async function checkWebhookUrl(text: string, guard: WebhookGuard): Promise<void> {
  const host = hostOf(readWebhookUrl(text, guard));
  if (isAddress(host) || guard.proxy !== undefined) return;
  await resolveAllowed(host, guard).catch((error: unknown) => {
    if (error instanceof UrlNotAllowed) throw error;
    throw new UrlNotAllowed(`The name ${host} does not resolve to an address.`);
  });
}
