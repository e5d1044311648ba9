import ipaddr from 'ipaddr.js';
import type { IPv4, IPv6 } from 'ipaddr.js';

type Address = IPv4 | IPv6;
export type Network = [Address, number];

/** `10.0.0.0/8`, or one address; undefined: it is none of both. */
export function readNetwork(text: string): Network | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!isAddress(text)) return undefined;
  const address = parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Whether a text is an address as programs write it: four decimal numbers, or IPv6. */
export const isAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);

/** An address that is one. The library takes `::192.0.2.1`, as resolvers write `::/96`, for an IPv4-mapped address. */
const parse = (text: string): Address =>
  ipaddr.parse(
    text.replace(/^::(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_text, ...bytes: string[]) => {
      const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number);
      return `::${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    }),
  );

const networks = (...texts: string[]): Network[] => texts.map((text) => ipaddr.parseCIDR(text));

/** Link-local addresses, and those where clouds tell a machine its credentials. */
const never = networks(
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
);

/** What is handed out of IPv6. */
const globalV6 = networks('2000::/3');
const nat64 = networks('64:ff9b::/96');
/** NAT64 of one's own network: its prefix says nothing of the IPv4 address's place, which nearly always is the end. */
const localNat64 = networks('64:ff9b:1::/48');

const isIn = (address: Address, list: readonly Network[]): boolean =>
  list.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));

const lastFour = (address: IPv6): IPv4 => new ipaddr.IPv4(address.toByteArray().slice(12));

/** The IPv4 address that a packet to this one goes to; of any other address itself. */
function target(address: Address): Address {
  if (address instanceof ipaddr.IPv4) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  return isIn(address, nat64) ? lastFour(address) : address;
}

const isNever = (address: Address): boolean =>
  isIn(address, never) ||
  (address instanceof ipaddr.IPv6 && isIn(address, localNat64) && isIn(lastFour(address), never));

const isGlobal = (address: Address): boolean =>
  address.range() === 'unicast' && (address.kind() === 'ipv4' || isIn(address, globalV6));

/**
 * Whether something may be sent to this address: it is global unicast, or in one of the allowed networks, and never where a
 * cloud keeps credentials. IPv4-mapped and NAT64 addresses count as the IPv4 address within. A text that is no address: false.
 */
export function isAllowedAddress(text: string, allowed: readonly Network[]): boolean {
  if (!isAddress(text)) return false;
  const address = target(parse(text));
  return !isNever(address) && (isGlobal(address) || isIn(address, allowed));
}
