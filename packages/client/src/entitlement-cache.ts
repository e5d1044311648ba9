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

/** A bounded memory of full answers by user. Ages count from the request, not from its answer: never too young. */
export function createEntitlementCache({ ttlMs, maxEntries, now }: CacheDeps): EntitlementCache {
  const entries = new Map<string, Entry>();
  const flights = new Map<string, Flight>();
  const isFresh = (entry: Entry): boolean => elapsedMs(entry.asked, now()) < entry.lifeMs;

  const remember = (userId: string, entry: Entry): void => {
    entries.delete(userId);
    if (!isFresh(entry)) return;
    entries.set(userId, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break;
      entries.delete(oldest);
    }
  };

  const depart = (userId: string, ask: Ask): Flight => {
    const asked = now();
    const answer = ask().then(
      (received) => {
        if (land(userId, flight))
          remember(userId, { answer: received, asked, lifeMs: lifeMs(received, ttlMs) });
        return received;
      },
      (error: unknown) => {
        land(userId, flight);
        throw error;
      },
    );
    const flight: Flight = { asked, answer };
    flights.set(userId, flight);
    return flight;
  };

  /** Whether the flight is still the one that counts for its user. */
  const land = (userId: string, flight: Flight): boolean =>
    flights.get(userId) === flight && flights.delete(userId);

  const read: EntitlementCache['read'] = (userId, ask) => {
    const entry = entries.get(userId);
    if (entry !== undefined && isFresh(entry)) return Promise.resolve(entry.answer);
    const flight = flights.get(userId);
    // One that left longer ago than the ttl could bring an answer that is older than the ttl.
    if (flight !== undefined && elapsedMs(flight.asked, now()) < ttlMs) return join(flight, userId, ask);
    return depart(userId, ask).answer;
  };

  /** Access that ended on the way is asked for again: the one who joins late has not waited that long. */
  const join = async (flight: Flight, userId: string, ask: Ask): Promise<EntitlementsResponse> => {
    const answer = await flight.answer;
    const isInForce = elapsedMs(flight.asked, now()) < lifeMs(answer, Number.POSITIVE_INFINITY);
    return isInForce ? answer : read(userId, ask);
  };

  return {
    read,
    forget: (userId) => {
      if (userId === undefined) {
        entries.clear();
        flights.clear();
        return;
      }
      entries.delete(userId);
      flights.delete(userId);
    },
  };
}
