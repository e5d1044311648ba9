import type { Claims } from '../stripe/claims.ts';
import { lacksCoupons, withKnownCoupons } from '../stripe/discount.ts';
import { withKnownChanges, withKnownInvoice } from '../stripe/schedule.ts';
import type { PendingPayment } from '../stripe/schedule.ts';
import type { ItemSnapshot, SubscriptionSnapshot } from '../stripe/subscription.ts';
import type { Instant } from '../time.ts';
import { decideSnapshot, isBetterSnapshot } from './decide-snapshot.ts';
import { confirmedState, firstRecheckDelayMs, unconfirmedState } from './lookup.ts';
import type { StripeLookup, Step } from './lookup.ts';
import { noteRead, noteStatus, withPastDueSince } from './past-due.ts';
import { projectClaimedAt, withSession } from './session-claims.ts';
import type { SessionClaims } from './session-claims.ts';
import { withFirstPeriods, withStarts } from './starts.ts';
import { hasSameContent, isTerminal } from './subscription-row.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

/** `lookup`: Stripe's answer; null: Stripe was not asked yet. */
export type StepContext = { lookup: StripeLookup<SubscriptionSnapshot> | null; now: Instant };

/** A snapshot's claim against the stored one: the newest snapshot's, of one second the greater. */
const isNewerClaim = (
  value: string | null,
  at: Instant,
  stored: { value: string | null; at: Instant | null },
): value is string =>
  value !== null &&
  (stored.at === null || at > stored.at || (at === stored.at && value > (stored.value ?? '')));

/**
 * The claims of the subscription's own metadata, each by itself, stale snapshots included: the newest snapshot that has
 * one counts, and a later one without it changes nothing. They go before what another object claims.
 */
function withClaims(row: SubscriptionRow, { projectId, userId }: Claims, at: Instant): SubscriptionRow {
  const { claims } = row;
  const projectAt = projectClaimedAt(row);
  const isNewProject = isNewerClaim(projectId, at, { value: claims.projectId, at: projectAt });
  const isNewUser = isNewerClaim(userId, at, { value: claims.userId, at: row.claimsAt });
  // Metadata that repeats a claim shows where it comes from.
  const isFromMetadata = isNewUser || (userId !== null && userId === claims.userId);
  return {
    ...row,
    claims: {
      projectId: isNewProject ? projectId : claims.projectId,
      userId: isNewUser ? userId : claims.userId,
      userSource: isFromMetadata ? 'metadata' : claims.userSource,
    },
    projectClaimedAt: isNewProject ? at : projectAt,
    claimsAt: isNewUser ? at : row.claimsAt,
  };
}

/** A price costs what it did before, where a snapshot (of an older version of the service) names it by its id alone. */
const withKnownPrices = (items: ItemSnapshot[], known: readonly ItemSnapshot[]): ItemSnapshot[] =>
  items.map((item) => {
    if (item.currency !== null && item.stripeProductId !== null) return item;
    const before = known.find(
      (one) => one.itemId === item.itemId && one.stripePriceId === item.stripePriceId,
    );
    if (before === undefined) return item;
    const stripeProductId = item.stripeProductId ?? before.stripeProductId;
    if (item.currency !== null) return { ...item, stripeProductId };
    const { unitAmount, currency, interval, intervalCount, usageType, billedQuantity } = before;
    const isSameQuantity = before.quantity === item.quantity;
    return {
      ...item,
      unitAmount,
      currency,
      interval,
      intervalCount,
      usageType,
      billedQuantity: isSameQuantity ? billedQuantity : null,
      stripeProductId,
    };
  });

type Details = Pick<SubscriptionRow, 'discounts' | 'schedule' | 'pendingPayment'>;

/** Whether Stripe has to be asked for a coupon, for what a schedule will change, or where a change can be paid. */
export const lacksDetails = ({ discounts, schedule, pendingPayment }: Details): boolean =>
  lacksCoupons(discounts) || schedule?.changes === null || pendingPayment?.invoiceUrl === null;

/** Details that only Stripe knows are looked up like a state in doubt, but nothing else waits for that. */
const withDetailsRecheck = (row: SubscriptionRow, now: Instant): SubscriptionRow =>
  lacksDetails(row) && !isTerminal(row.status) ? { ...row, recheckAt: now + firstRecheckDelayMs } : row;

/** An event does not tell the invoice by which a paused subscription is resumed: what was read of it stays. */
const withKnownResumption = (row: SubscriptionRow, snapshot: SubscriptionSnapshot): PendingPayment | null => {
  const isUnread = snapshot.status === 'paused' && snapshot.latestInvoiceCreatedAt === null;
  const isOfResumption = row.status === 'paused' && row.pendingPayment?.expiresAt === null;
  return isUnread && isOfResumption && snapshot.pendingPayment === null ? row.pendingPayment : null;
};

/** The row with a snapshot's content; what the snapshot leaves out stays as it was. */
function withContent(stored: SubscriptionRow, snapshot: SubscriptionSnapshot): SubscriptionRow {
  const row = withStarts(stored, snapshot);
  const { id: _id, claims: _claims, createdAt: _created, answeredAt: _answered, ...rest } = snapshot;
  const { areItemsComplete, latestInvoiceDueAt: _due, ...content } = rest;
  const isSameInvoice = snapshot.latestInvoiceId === row.latestInvoiceId;
  return {
    ...row,
    ...content,
    customerId: snapshot.customerId ?? row.customerId,
    startDate: row.startDate,
    items:
      areItemsComplete || row.items.length === 0
        ? withFirstPeriods(withKnownPrices(snapshot.items, row.items), row.items)
        : row.items,
    discounts:
      snapshot.discounts === null ? row.discounts : withKnownCoupons(snapshot.discounts, row.discounts),
    schedule: withKnownChanges(snapshot.schedule, row.schedule),
    pendingPayment: isSameInvoice
      ? (withKnownResumption(row, snapshot) ?? withKnownInvoice(snapshot.pendingPayment, row.pendingPayment))
      : snapshot.pendingPayment,
    latestInvoiceCreatedAt:
      snapshot.latestInvoiceCreatedAt ?? (isSameInvoice ? row.latestInvoiceCreatedAt : null),
  };
}

/**
 * The state as Stripe has it now. An end that an event reported stays, even where Stripe's answer is older
 * (invariant "terminal absorbs"). `asOf`: the newest event that the answer is at least as new as; `now`: when it was read.
 */
export function applyLookup(
  row: SubscriptionRow,
  snapshot: SubscriptionSnapshot,
  asOf: { at: Instant | null; eventId: string | null; now: Instant },
): SubscriptionRow {
  if (isTerminal(row.status) && !isTerminal(snapshot.status)) return { ...row, ...confirmedState };
  const noted = noteRead(row, snapshot, { asOf: asOf.at, now: asOf.now });
  return withPastDueSince({
    ...withContent(withClaims(noted, snapshot.claims, asOf.at ?? 0), snapshot),
    ...confirmedState,
    snapshotAt: asOf.at,
    snapshotEventId: asOf.eventId,
  });
}

/** Keeps the best known state, unconfirmed: rechecked later, or never where Stripe does not have the object. */
export const keepForRecheck = (
  row: SubscriptionRow,
  lookup: { kind: 'missing' | 'unreachable' },
  now: Instant,
): SubscriptionRow => withPastDueSince({ ...row, ...unconfirmedState(row, lookup, now) });

const newest = (at: Instant | null, created: Instant): Instant => Math.max(at ?? created, created);

/** The event that a looked-up state is named after: the newest, of one second the one with the greatest id. */
function newestEventId(row: SubscriptionRow, { created, eventId }: Incoming): string {
  if (row.snapshotEventId === null || row.snapshotAt === null || created > row.snapshotAt) return eventId;
  const isLater = created === row.snapshotAt && eventId > row.snapshotEventId;
  return isLater ? eventId : row.snapshotEventId;
}

/**
 * Of several events of one second with the same content the row keeps the greatest id: a later tie is compared
 * with it while Stripe cannot be asked, so it must not depend on the order of arrival.
 */
function withGreaterEvent(row: SubscriptionRow, { snapshot, created, eventId }: Incoming): SubscriptionRow {
  const isSame = created === row.snapshotAt && hasSameContent(row, snapshot);
  return isSame && eventId > (row.snapshotEventId ?? '') ? { ...row, snapshotEventId: eventId } : row;
}

/** What an event that carries a subscription does to its row (invariant "order does not matter"). */
export function stepSnapshot(
  stored: SubscriptionRow,
  incoming: Incoming,
  { lookup, now }: StepContext,
): Step<SubscriptionRow> {
  const { snapshot, created, eventId } = incoming;
  const row = withClaims(withStarts(noteStatus(stored, incoming), snapshot), snapshot.claims, created);
  const decision = decideSnapshot(stored, incoming);
  const origin = { snapshotAt: created, snapshotEventId: eventId };
  if (decision === 'stale') {
    const outcome = stored.snapshotEventId === eventId ? 'applied' : 'stale';
    return { kind: 'write', row: withPastDueSince(withGreaterEvent(row, incoming)), outcome };
  }
  if (decision === 'apply')
    return {
      kind: 'write',
      row: withDetailsRecheck(
        withPastDueSince({ ...withContent(row, snapshot), ...confirmedState, ...origin }),
        now,
      ),
      outcome: 'applied',
    };
  if (lookup === null) return { kind: 'needs_lookup' };
  if (lookup.kind === 'found') {
    const asOf = { at: newest(row.snapshotAt, created), eventId: newestEventId(row, incoming), now };
    return { kind: 'write', row: applyLookup(row, lookup.object, asOf), outcome: 'applied' };
  }
  const isBetter = isBetterSnapshot(incoming, row);
  const best = isBetter ? { ...withContent(row, snapshot), ...origin } : row;
  return {
    kind: 'write',
    row: keepForRecheck(best, lookup, now),
    outcome: isBetter || stored.snapshotEventId === eventId ? 'applied' : 'stale',
  };
}

/** The event of another object that names a subscription: its checkout session, an invoice, a schedule. */
export type Mention = SessionClaims & {
  created: Instant;
  eventId: string;
  /** It is about the subscription's schedule, of which the subscription's own events tell the id alone. */
  isAboutSchedule?: true;
};

/** Looked up soon, unless it has ended or Stripe does not have it. */
const withRecheck = (row: SubscriptionRow, now: Instant): SubscriptionRow =>
  isTerminal(row.status) || row.missingInStripeAt !== null || row.recheckAt !== null
    ? row
    : { ...row, recheckAt: now + firstRecheckDelayMs };

/**
 * What such an event does to the subscription's row: it may name the owner. Where the
 * subscription's own state is unknown or unconfirmed, it is a reason for a lookup.
 */
export function stepMention(
  stored: SubscriptionRow,
  mention: Mention,
  { lookup, now }: StepContext,
): Step<SubscriptionRow> {
  const row = withSession(stored, mention);
  const needsLookup = (stored.status === null || !stored.confirmed) && stored.missingInStripeAt === null;
  if (!needsLookup)
    return { kind: 'write', row: mention.isAboutSchedule ? withRecheck(row, now) : row, outcome: 'applied' };
  if (lookup === null) return { kind: 'needs_lookup' };
  if (lookup.kind !== 'found')
    return { kind: 'write', row: keepForRecheck(row, lookup, now), outcome: 'applied' };
  const isNewer = row.snapshotAt === null || mention.created > row.snapshotAt;
  const asOf = {
    at: newest(row.snapshotAt, mention.created),
    eventId: isNewer ? mention.eventId : row.snapshotEventId,
    now,
  };
  return { kind: 'write', row: applyLookup(row, lookup.object, asOf), outcome: 'applied' };
}
