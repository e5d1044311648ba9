import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** RFC 1918, 4193 and 6598, and link-local addresses. */
const privateNetworks = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const)
  privateNetworks.addSubnet(network, bits);
privateNetworks.addSubnet('fc00::', 7, 'ipv6');
privateNetworks.addSubnet('fe80::', 10, 'ipv6');

const isIn = (list: BlockList, host: string): boolean =>
  isIP(host) !== 0 && list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');

/** A name that a resolver reads as an address: `2130706433` and `0x7f000001` are both 127.0.0.1. */
const isNumber = (host: string): boolean => /^(?:0x[\da-f]+|\d+)$/.test(host);

const isPrivateName = (host: string): boolean =>
  isIP(host) === 0 && !isNumber(host) && (!host.includes('.') || /\.(?:internal|local|svc)$/.test(host));

/** Whether what is sent to this host stays on this machine. A Unix socket does. */
export const isLoopback = (host: string): boolean =>
  host === '' || host.startsWith('/') || host === 'localhost' || isIn(loopback, host);

/** Whether what is sent to this host stays on this machine or in a private network. Names are not resolved. */
export const isPrivateHost = (host: string): boolean =>
  isLoopback(host) || isIn(privateNetworks, host) || isPrivateName(host);

/**
 * The hosts of a URL, which may name several (`db-1:5432,db-2:5432`): in lower case, without ports, brackets, IPv6 zones
 * and the dot that ends a full name.
 */
export function hostsOf(url: string): string[] {
  const [, authority = ''] = /^[\w+.-]+:\/\/([^/?#]*)/.exec(url.trim()) ?? [];
  return authority
    .slice(authority.lastIndexOf('@') + 1)
    .split(',')
    .map((one) => {
      const [, inBrackets, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))/.exec(one) ?? [];
      const host = decode(inBrackets ?? name).toLowerCase();
      return host.replace(/%.*$/, '').replace(/(.)\.$/, '$1');
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
