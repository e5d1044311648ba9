import { isIPv6 } from 'node:net';
import { createLocalAllowance } from '@billing/platform';
import { LRUCache } from 'lru-cache';

/** Trusted addresses kept in memory; with more, the oldest are forgotten. */
const maxAddresses = 10_000;
const minuteMs = 60_000;
const trustMs = 15 * minuteMs;

/** Failed log-ins by address, in this process. */
export type FailureThrottle = {
  /** Seconds until this address may try again; 0: now. */
  waitSeconds: (address: string | undefined) => number;
  failed: (address: string | undefined) => void;
  succeeded: (address: string | undefined) => void;
  /** Whether somebody was let in from there within the last quarter of an hour. */
  isTrusted: (address: string | undefined) => boolean;
};

/** What one sender has: of IPv6 each has a /64. */
function senderOf(address = ''): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = Array.from({ length: 8 - groups.length - after.length }, () => '0');
  return [...groups, ...missing, ...after].slice(0, 4).join(':');
}

/**
 * Lets so many failures a minute pass for each address (0: no bound), by a bucket that leaks all the time. Who was let
 * in lately from the same address is not shut out by what a neighbour tries.
 */
export function createFailureThrottle(perMinute: number): FailureThrottle {
  const failures = createLocalAllowance({ stepMs: minuteMs / perMinute, windowMs: minuteMs });
  const successes = new LRUCache<string, true>({ max: maxAddresses, ttl: trustMs });

  return {
    waitSeconds: (address) => (perMinute === 0 ? 0 : Math.ceil(failures.waitMs(senderOf(address)) / 1_000)),
    failed: (address) => {
      if (perMinute > 0) failures.count(senderOf(address));
    },
    succeeded(address) {
      successes.set(senderOf(address), true);
    },
    isTrusted: (address) => successes.has(senderOf(address)),
  };
}
