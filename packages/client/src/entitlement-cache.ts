import type { EntitlementsResponse } from './wire.ts';

/** A moment on two clocks: one may be set back or jump, the other may stand still while the machine sleeps. */
export type Moment = { wallMs: number; steadyMs: number };

export const systemMoment = (): Moment => ({ wallMs: Date.now(), steadyMs: performance.now() });

/** The longer of both clocks' opinions, so that no answer ever seems younger than it is. */
const elapsedMs = (from: Moment, to: Moment): number =>
  Math.max(to.wallMs - from.wallMs, to.steadyMs - from.steadyMs);

type Entry = { answer: EntitlementsResponse; asked: Moment; lifeMs: number };
type Flight = { asked: Moment; answer: Promise<EntitlementsResponse> };

type Ask = () => Promise<EntitlementsResponse>;

export type EntitlementCache = {
  /** The answer for a user, from memory or by `ask`; who comes while one is being asked for shares it. */
  read: (userId: string, ask: Ask) => Promise<EntitlementsResponse>;
  /** Forgets one user, or all; what is still on its way will not be remembered either. */
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

/** At most `maxEntries` answers; the oldest make room. */
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

/** A bounded memory of full answers by user. Ages count from the request, not from its answer: never too young. */
export function createEntitlementCache(deps: CacheDeps): EntitlementCache {
  const { ttlMs, now } = deps;
  const entries = createEntries(deps);
  const flights = new Map<string, Flight>();

  /** Takes the flight off the board; false if it was forgotten or replaced, and no longer counts. */
  const land = (userId: string, flight: Flight): boolean =>
    flights.get(userId) === flight && flights.delete(userId);

  const follow = async (userId: string, flight: Flight): Promise<void> => {
    try {
      const answer = await flight.answer;
      if (land(userId, flight)) entries.set(userId, answer, flight.asked);
    } catch {
      // Whoever waits for the flight gets its error.
      land(userId, flight);
    }
  };

  const depart = (userId: string, ask: Ask): Flight => {
    const flight: Flight = { asked: now(), answer: ask() };
    flights.set(userId, flight);
    void follow(userId, flight);
    return flight;
  };

  /** Access that ended on the way is asked for again: the one who joins late has not waited that long. */
  const join = async (flight: Flight, userId: string, ask: Ask): Promise<EntitlementsResponse> => {
    const answer = await flight.answer;
    const isInForce = elapsedMs(flight.asked, now()) < lifeMs(answer, Number.POSITIVE_INFINITY);
    return isInForce ? answer : read(userId, ask);
  };

  const read: EntitlementCache['read'] = async (userId, ask) => {
    const known = entries.get(userId);
    if (known !== undefined) return known;
    const flight = flights.get(userId);
    // One that left longer ago than the ttl could bring an answer that is older than the ttl.
    if (flight !== undefined && elapsedMs(flight.asked, now()) < ttlMs) return join(flight, userId, ask);
    return depart(userId, ask).answer;
  };

  const forget: EntitlementCache['forget'] = (userId) => {
    for (const memory of [entries, flights]) {
      if (userId === undefined) memory.clear();
      else memory.delete(userId);
    }
  };
  return { read, forget };
}
