import { Gauge } from 'prom-client';
import type { Counter, Registry } from 'prom-client';

export type CacheMetrics = {
  entitlementCacheHits: Counter;
  entitlementCacheMisses: Counter;
  entitlementCacheEnabled: Gauge;
  entitlementReadsNotAdmitted: Counter;
};

/** The metrics of the entitlement cache. */
export function createCacheMetrics(
  counter: (name: string, help: string) => Counter,
  registry: Registry,
): CacheMetrics {
  return {
    entitlementCacheHits: counter(
      'entitlement_cache_hits_total',
      'Entitlement reads answered from the cache',
    ),
    entitlementCacheMisses: counter(
      'entitlement_cache_misses_total',
      'Entitlement reads that went to Postgres',
    ),
    // Where processes are added up, the one that may ask the least of it counts.
    entitlementCacheEnabled: new Gauge({
      name: 'entitlement_cache_enabled',
      help: 'The share of the cache that may be asked: 0 while it is off or away, less than 1 where a server of several is',
      registers: [registry],
      aggregator: 'min',
    }),
    entitlementReadsNotAdmitted: counter(
      'entitlement_reads_not_admitted_total',
      'Entitlement reads refused with 503 because too many needed Postgres while the cache was cold',
    ),
  };
}
