import type { BillingError } from './billing-error.ts';

/** What `fetch` is called with: a string and plain fields, so that any implementation will do. */
export type FetchInit = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers: Record<string, string>;
  body?: string;
  redirect: 'manual';
  signal: AbortSignal;
};
export type FetchResponse = {
  status: number;
  headers: { get(name: string): string | null };
  text(): Promise<string>;
};
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** What `can` answers while the service is away: `false`, `true`, or by throwing the `BillingError`. */
export type UnavailableAnswer = 'deny' | 'allow' | 'throw';

export type CacheOptions = {
  /** No answer from the cache is older than this. At most 60,000. */
  ttlMs: number;
  /** Users remembered at once; the oldest are dropped. Default 10,000. */
  maxEntries?: number | undefined;
};

export type BillingClientOptions = {
  /** Where the service is, e.g. `https://billing.internal`. A path prefix is kept. */
  baseUrl: string;
  /** The project's API key. It reads every user of the project: keep it out of web pages. */
  apiKey: string;
  /** Limit of each try. Default 2,000 for reads, 20,000 for checkout and portal (these wait for Stripe). */
  timeoutMs?: number | undefined;
  /** How often a call that is safe to repeat is tried again. 0 to 10, default 2. */
  retries?: number | undefined;
  /** A short-lived cache of answers in this process; off by default. */
  cache?: CacheOptions | undefined;
  /** Default `throw`. Wrong keys, ids or settings are thrown in any case. */
  onUnavailable?: UnavailableAnswer | undefined;
  /** Called with each failure that `deny` or `allow` answered in place of the service: log or count it. */
  onFallback?: ((error: BillingError) => void) | undefined;
  /** In place of the global `fetch`. */
  fetch?: Fetch | undefined;
};

export type Settings = {
  baseUrl: string;
  apiKey: string;
  readTimeoutMs: number;
  purchaseTimeoutMs: number;
  retries: number;
  cache: { ttlMs: number; maxEntries: number } | null;
  onUnavailable: UnavailableAnswer;
  onFallback: (error: BillingError) => void;
  fetch: Fetch;
};

const defaultReadTimeoutMs = 2_000;
/** Above the 15 s that the service itself may take for a checkout. */
const defaultPurchaseTimeoutMs = 20_000;
const longestTimeoutMs = 300_000;

const unavailableAnswers: readonly unknown[] = ['deny', 'allow', 'throw'] satisfies UnavailableAnswer[];

/** Throws a `TypeError`: a client with wrong options must not look like a service that is away. */
export function resolveOptions(options: BillingClientOptions): Settings {
  const { timeoutMs, retries = 2, cache, onUnavailable = 'throw' } = options;
  if (timeoutMs !== undefined) requireInteger('timeoutMs', timeoutMs, { min: 1, max: longestTimeoutMs });
  requireInteger('retries', retries, { min: 0, max: 10 });
  if (!unavailableAnswers.includes(onUnavailable))
    throw new TypeError("onUnavailable must be 'deny', 'allow' or 'throw'");
  return {
    baseUrl: resolveBaseUrl(options.baseUrl),
    apiKey: resolveApiKey(options.apiKey),
    readTimeoutMs: timeoutMs ?? defaultReadTimeoutMs,
    purchaseTimeoutMs: timeoutMs ?? defaultPurchaseTimeoutMs,
    retries,
    cache: cache === undefined ? null : resolveCache(cache),
    onUnavailable,
    onFallback: options.onFallback ?? (() => {}),
    fetch: options.fetch ?? globalFetch(),
  };
}

export function requireInteger(
  name: string,
  value: number,
  { min, max }: { min: number; max: number },
): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new TypeError(`${name} must be a whole number from ${min} to ${max}`);
}

function resolveBaseUrl(value: string): string {
  const problem = 'baseUrl must be an http(s) URL without user information, query or fragment';
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw new TypeError(problem);
  }
  if (!/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== '')
    throw new TypeError(problem);
  return url.href.replace(/\/+$/, '');
}

function resolveApiKey(value: string): string {
  // Checked here because fetch would quote the whole header with the key in its error.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new TypeError("apiKey must be the project's API key (proj_…), without spaces or line breaks");
  return value;
}

function resolveCache({ ttlMs, maxEntries = 10_000 }: CacheOptions): { ttlMs: number; maxEntries: number } {
  requireInteger('cache.ttlMs', ttlMs, { min: 1, max: 60_000 });
  requireInteger('cache.maxEntries', maxEntries, { min: 1, max: 1_000_000 });
  return { ttlMs, maxEntries };
}

function globalFetch(): Fetch {
  if (typeof globalThis.fetch !== 'function')
    throw new TypeError('There is no global fetch here (Node.js 18 and browsers have one): pass `fetch`');
  // Read at each call, so that a later replacement (tracing, tests) is used.
  return (url, init) => globalThis.fetch(url, init);
}
