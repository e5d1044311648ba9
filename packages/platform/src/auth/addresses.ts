import { isIPv4, isIPv6 } from 'node:net';

/** The 8 groups of an IPv6 address, as they are written; a group that is left out is `0`. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => '0');
  return [...groups, ...missing, ...after];
}

/** An IPv4 address that comes as an IPv6 one (`::ffff:192.0.2.1`) as itself. */
export const plainAddress = (address = ''): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** What one sender has: an IPv4 address, of IPv6 a /64. */
export function senderOf(address: string | undefined): string {
  const plain = plainAddress(address);
  return isIPv6(plain) && !plain.includes('.') ? groupsOf(plain).slice(0, 4).join(':') : plain;
}

/** For logs: the network without the single sender, /24 of IPv4 and /48 of IPv6. */
export function shortAddressOf(address: string | undefined): string {
  const plain = plainAddress(address);
  if (isIPv4(plain)) return `${plain.split('.').slice(0, 3).join('.')}.0/24`;
  if (!isIPv6(plain) || plain.includes('.')) return 'unknown';
  return `${groupsOf(plain).slice(0, 3).join(':')}::/48`;
}

/** Who sent a request, as Express tells by the proxies that are trusted (`createApiServer` gives it to all requests). */
export const addressOf = (request: object): string | undefined =>
  'ip' in request && typeof request.ip === 'string' ? request.ip : undefined;
