import { isIPv6 } from 'node:net';

/** Addresses kept in mind; with more, the oldest are forgotten. */
const maxAddresses = 10_000;
const rememberSuccessMs = 15 * 60_000;

export type FailureThrottle = ReturnType<typeof createFailureThrottle>;

/** What one sender has: IPv6 hands out a /64 to each. */
function senderOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = Array.from({ length: 8 - groups.length - after.length }, () => '0');
  return [...groups, ...missing, ...after].slice(0, 4).join(':');
}

function rememberBounded<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  if (map.size >= maxAddresses) {
    const oldest = map.keys().next();
    if (oldest.done !== true) map.delete(oldest.value);
  }
  map.set(key, value);
}

/**
 * Counts failed log-ins per address, in this process: so many a minute (0: no bound), then it says so. Who was
 * let in lately from the same address is not shut out by what a neighbour tries.
 */
export function createFailureThrottle(perMinute: number) {
  const failures = new Map<string, { owedMs: number; at: number }>();
  const successes = new Map<string, number>();
  const eachMs = perMinute === 0 ? 0 : 60_000 / perMinute;

  function owedMs(sender: string): number {
    const noted = failures.get(sender);
    return noted === undefined ? 0 : Math.max(0, noted.owedMs - (performance.now() - noted.at));
  }

  return {
    /** Seconds until this address may try again; 0: now. */
    waitSeconds(address: string | undefined): number {
      if (perMinute === 0) return 0;
      const overMs = owedMs(senderOf(address ?? '')) + eachMs - 60_000;
      return overMs <= 0 ? 0 : Math.ceil(overMs / 1_000);
    },
    failed(address: string | undefined): void {
      if (perMinute === 0) return;
      const sender = senderOf(address ?? '');
      const pending = Math.min(60_000, owedMs(sender) + eachMs);
      rememberBounded(failures, sender, { owedMs: pending, at: performance.now() });
    },
    succeeded(address: string | undefined): void {
      rememberBounded(successes, senderOf(address ?? ''), performance.now());
    },
    /** Whether somebody was let in from there within the last quarter of an hour. */
    isTrusted(address: string | undefined): boolean {
      const at = successes.get(senderOf(address ?? ''));
      return at !== undefined && performance.now() - at < rememberSuccessMs;
    },
  };
}
