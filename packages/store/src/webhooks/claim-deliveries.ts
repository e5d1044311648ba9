import { mostAtEndpoint, planClaims } from '@billing/domain';
import type { ClaimContext, ClaimPlan, DueDelivery, Instant } from '@billing/domain';
import type { SecretGenerations } from '@billing/platform';
import type { Database } from '../create-database.ts';
import type { QueryJson } from '../query-json.ts';
import { lockEndpoints, readDue, supersedeOlder, writePlan } from './claim-statements.ts';

/** A delivery that this process is to try, until its claim ends. */
export type ClaimedDelivery = {
  id: number;
  messageId: string;
  endpointId: string;
  userId: string | null;
  triesBefore: number;
  isResend: boolean;
  claimedUntil: Instant;
  body: string;
};

export type ClaimedSending = ClaimedDelivery & { url: string; secrets: string[] };

export type ClaimRequest = {
  /** How many to begin at each endpoint. */
  takes: readonly { id: string; take: number }[];
  /** Endpoints whose waiting deliveries are discarded. */
  closed: readonly string[];
  /** How long nobody else takes what is claimed. */
  claimMs: number;
  /** From the making of a delivery to its first try. */
  firstWaitMs: number;
  /** The secrets of an endpoint that sign now; null: a key is missing. */
  secretsOf: (endpoint: SecretGenerations) => string[] | null;
};

export type Claimed = { sendings: ClaimedSending[]; discarded: number; putOff: number };

type LockedEndpoint = Omit<SecretGenerations, 'previousUntil'> & {
  url: string;
  delivery: ClaimContext['delivery'];
  isOpen: boolean;
  discardedTo: number;
  previousUntil: number | null;
};

type Due = {
  now: Instant;
  due: (DueDelivery & { endpointId: string })[];
  busy: { endpointId: string; userId: string | null; until: Instant }[];
};

type Written = { discarded: number; putOff: number; claimed: ClaimedDelivery[] };

type Signer = { endpoint: LockedEndpoint; take: number; secrets: string[] };

/** So many are looked at for each that is taken: the others may have to wait for one of the same user. */
const mostLookedAt = 32;

/**
 * Takes deliveries that are due, for this process to try: of a user one at a time, and no more to an endpoint at once than all
 * workers together may send to it. A claim that is not kept ends by itself.
 */
export async function claimDeliveries(
  database: Pick<Database, '$transactJson'>,
  request: ClaimRequest,
): Promise<Claimed> {
  const takes = new Map(request.takes.map(({ id, take }) => [id, take]));
  return database.$transactJson(async (query) => {
    const ids = JSON.stringify([...takes.keys(), ...request.closed]);
    const locked = await query<LockedEndpoint[]>(lockEndpoints({ ids }));
    const signers = locked.flatMap((endpoint): Signer[] => {
      const { previousUntil } = endpoint;
      const secrets = request.secretsOf({
        ...endpoint,
        previousUntil: previousUntil === null ? null : new Date(previousUntil),
      });
      const take = takes.get(endpoint.id) ?? 0;
      return endpoint.isOpen && take > 0 && secrets !== null ? [{ endpoint, take, secrets }] : [];
    });
    const plan = await planAll(query, signers, request);
    if (plan.superseding.length > 0) await query(supersedeOlder({ ids: JSON.stringify(plan.superseding) }));
    const written = await query<Written>(
      writePlan({
        closed: JSON.stringify(locked.filter(({ isOpen }) => !isOpen).map(({ id }) => id)),
        discarded: JSON.stringify(plan.discarded),
        put_off: JSON.stringify(
          plan.putOff.map(({ id, until, isBehind }) => ({ id, until, is_behind: isBehind })),
        ),
        claimed: JSON.stringify(plan.claimed),
        claim_seconds: request.claimMs / 1000,
      }),
    );
    const byId = new Map(signers.map((signer) => [signer.endpoint.id, signer]));
    const sendings = written.claimed.flatMap((claimed) => {
      const signer = byId.get(claimed.endpointId);
      return signer === undefined ? [] : [{ ...claimed, url: signer.endpoint.url, secrets: signer.secrets }];
    });
    return { sendings, discarded: written.discarded, putOff: written.putOff };
  });
}

async function planAll(
  query: QueryJson,
  signers: readonly Signer[],
  { claimMs, firstWaitMs }: ClaimRequest,
): Promise<ClaimPlan> {
  const plan: ClaimPlan = { claimed: [], superseding: [], putOff: [], discarded: [] };
  if (signers.length === 0) return plan;
  const ids = JSON.stringify(signers.map(({ endpoint }) => endpoint.id));
  const { now, due, busy } = await query<Due>(
    readDue({ ids, limit: mostLookedAt, first_wait_ms: Math.round(firstWaitMs) }),
  );
  for (const { endpoint, take } of signers) {
    const isHere = ({ endpointId }: { endpointId: string }): boolean => endpointId === endpoint.id;
    const underWay = busy.filter(isHere);
    const one = planClaims(due.filter(isHere), {
      delivery: endpoint.delivery,
      free: Math.min(take, mostAtEndpoint - underWay.length),
      busy: new Map(underWay.map(({ userId, until }) => [userId, until])),
      discardedTo: endpoint.discardedTo,
      now,
      claimEndsAt: now + claimMs,
    });
    plan.claimed.push(...one.claimed);
    plan.superseding.push(...one.superseding);
    plan.putOff.push(...one.putOff);
    plan.discarded.push(...one.discarded);
  }
  return plan;
}
