import { noChange, ServiceError, toReservationOut } from '@billing/domain';
import type { Reservation, ReservationOut } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import {
  deriveSources,
  findReservation,
  isDatabaseUnavailable,
  openAccounts,
  readSources,
  readStates,
} from '@billing/store';
import type { AccountKey, StoredReservation } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { usageUnavailable } from './take-usage.ts';

type Deps = Pick<AppDeps, 'database' | 'clock' | 'config' | 'usage'>;

const readMs = 300;

const notFound = (): ServiceError =>
  new ServiceError('reservation_not_found', 'Use the id of a reservation that was made and not denied.');

/** Reads within a part of the second that a call may take. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  try {
    return await withDeadline(work, { ms: readMs, onTimeout: () => usageUnavailable() });
  } catch (error) {
    throw isDatabaseUnavailable(error) ? usageUnavailable(error) : error;
  }
}

async function find(
  { database }: Deps,
  projectId: string,
  reservationId: string,
): Promise<StoredReservation> {
  const found = await inTime(findReservation(database, projectId, reservationId));
  if (found === null) throw notFound();
  return found;
}

/** Whose a reservation is. Throws `reservation_not_found`, `usage_unavailable`. */
export async function ofReservation(
  deps: Deps,
  projectId: string,
  reservationId: string,
): Promise<AccountKey> {
  const { userId, featureCode } = await find(deps, projectId, reservationId);
  return { projectId, userId, featureCode };
}

/** What the clock has made of it, whether or not that is written down already. */
const atPresent = (reservation: Reservation, now: number): Reservation =>
  reservation.state === 'held' && reservation.expiresAt <= now
    ? { ...reservation, state: reservation.onExpiry === 'charge' ? 'charged' : 'expired' }
    : reservation;

/** A reservation as it stands now. Throws `reservation_not_found`, `usage_unavailable`. */
export async function readReservation(
  deps: Deps,
  projectId: string,
  reservationId: string,
): Promise<ReservationOut> {
  const { database, clock, config, usage } = deps;
  const found = await find(deps, projectId, reservationId);
  const key = { projectId, userId: found.userId, featureCode: found.featureCode };
  const now = clock();
  const [sources, states] = await inTime(
    Promise.all([readSources(database, projectId, [key.userId]), readStates(database, [key], now)]),
  );
  const read = sources.get(key.userId);
  if (read === undefined) throw notFound();
  const derived = deriveSources(read, config, now);
  const [account] = await inTime(openAccounts(database, { keys: [key], sourcesOf: () => derived, states }));
  if (account === undefined) throw notFound();
  usage.cache.rememberAnswered(key, account.state.usageSeq);
  const reservation = atPresent(found, now);
  return toReservationOut(account, reservationId, {
    kind: 'reservation',
    reservation,
    change: noChange(account),
  });
}
