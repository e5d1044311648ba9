import type { EntitlementsResponse } from './wire.ts';

/** A moment on two clocks: the wall clock may be set back, the steady one may stop while the machine sleeps. */
export type Moment = { wallMs: number; steadyMs: number };

export const systemMoment = (): Moment => ({ wallMs: Date.now(), steadyMs: performance.now() });

/** The longer of both clocks' measurements, so that no answer seems younger than it is. */
const elapsedMs = (from: Moment, to: Moment): number =>
  Math.max(to.wallMs - from.wallMs, to.steadyMs - from.steadyMs);

type Entry = { answer: EntitlementsResponse; asked: Moment; lifeMs: number };
type InFlight = { asked: Moment; answer: Promise<EntitlementsResponse> };

type Ask = () => Promise<EntitlementsResponse>;

export type EntitlementCache = {
  /** The answer for a user, from memory or by `ask`; concurrent calls share one request. */
  read: (userId: string, ask: Ask) => Promise<EntitlementsResponse>;
  /** Forgets one user, or all; answers to requests in flight are not remembered either. */
  forget: (userId?: string) => void;
};

export type CacheDeps = { ttlMs: number; maxEntries: number; now: () => Moment };

/**
 * How long an answer may be used, counted from when it was asked for. `valid_until` is compared with the service's
 * own `checked_at`, so a wrong clock here neither lengthens nor shortens anyone's access.
 */
export function lifeMs(answer: EntitlementsResponse, ttlMs: number): number {
  if (answer.valid_until === null) return ttlMs;
  return Math.min(ttlMs, Date.parse(answer.valid_until) - Date.parse(answer.checked_at));
}

/** At most `maxEntries` answers; the oldest are dropped. */
function createEntries({ ttlMs, maxEntries, now }: CacheDeps) {
  const entries = new Map<string, Entry>();
  const isFresh = (entry: Entry): boolean => elapsedMs(entry.asked, now()) < entry.lifeMs;
  return {
    get: (userId: string): EntitlementsResponse | undefined => {
      const entry = entries.get(userId);
      return entry !== undefined && isFresh(entry) ? entry.answer : undefined;
    },
    set: (userId: string, answer: EntitlementsResponse, asked: Moment): void => {
      entries.delete(userId);
      const entry = { answer, asked, lifeMs: lifeMs(answer, ttlMs) };
      if (!isFresh(entry)) return;
      entries.set(userId, entry);
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) break;
        entries.delete(oldest);
      }
    },
    delete: (userId: string) => entries.delete(userId),
    clear: () => entries.clear(),
  };
}

/** A bounded cache of full answers by user. Ages count from the request, not from its answer. */
export function createEntitlementCache(deps: CacheDeps): EntitlementCache {
  const { ttlMs, now } = deps;
  const entries = createEntries(deps);
  const inFlight = new Map<string, InFlight>();

  const send = (userId: string, ask: Ask): InFlight => {
    const request: InFlight = { asked: now(), answer: ask() };
    inFlight.set(userId, request);
    // False if the request was forgotten or replaced meanwhile: its answer is then not kept.
    const finish = (): boolean => inFlight.get(userId) === request && inFlight.delete(userId);
    const keep = (answer: EntitlementsResponse): void => {
      if (finish()) entries.set(userId, answer, request.asked);
    };
    // The callers that wait for the request get its error.
    request.answer.then(keep, finish);
    return request;
  };

  /** Access that ended while the answer was on its way is asked for again: a late caller has not waited that long. */
  const share = async (request: InFlight, userId: string, ask: Ask): Promise<EntitlementsResponse> => {
    const answer = await request.answer;
    const isInForce = elapsedMs(request.asked, now()) < lifeMs(answer, Number.POSITIVE_INFINITY);
    return isInForce ? answer : read(userId, ask);
  };

  const read: EntitlementCache['read'] = async (userId, ask) => {
    const known = entries.get(userId);
    if (known !== undefined) return known;
    const request = inFlight.get(userId);
    // A request sent longer ago than the ttl could bring an answer that is older than the ttl.
    if (request !== undefined && elapsedMs(request.asked, now()) < ttlMs) return share(request, userId, ask);
    return send(userId, ask).answer;
  };

  const forget: EntitlementCache['forget'] = (userId) => {
    for (const memory of [entries, inFlight]) {
      if (userId === undefined) memory.clear();
      else memory.delete(userId);
    }
  };
  return { read, forget };
}
