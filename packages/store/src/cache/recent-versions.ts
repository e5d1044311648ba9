import type { Clock } from '@billing/domain';

/**
 * The versions that this process answered while the cache could not hear of them. Redis that comes back
 * may still hold an older answer; whoever saw the newer one must not see that.
 */
export function createRecentVersions({ clock, ttlMs, max }: { clock: Clock; ttlMs: number; max: number }) {
  const versions = new Map<string, { version: number; until: number }>();
  return {
    remember(key: string, version: number): void {
      const known = versions.get(key);
      versions.delete(key);
      versions.set(key, { version: Math.max(version, known?.version ?? 0), until: clock() + ttlMs });
      if (versions.size <= max) return;
      const oldest = versions.keys().next();
      if (oldest.done !== true) versions.delete(oldest.value);
    },
    /** 0: nothing is remembered. */
    leastVersion(key: string): number {
      if (versions.size === 0) return 0;
      const known = versions.get(key);
      if (known === undefined) return 0;
      if (known.until > clock()) return known.version;
      versions.delete(key);
      return 0;
    },
  };
}
