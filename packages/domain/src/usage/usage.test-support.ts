import { deriveEntitlements } from '../entitlements/derive-entitlements.ts';
import type { Sources, DefaultSource } from '../entitlements/sources.ts';
import {
  aBoughtItem,
  allowanceMs,
  anItem,
  aPurchase,
  aSubscription,
  contextOf,
} from '../entitlements/sources.test-support.ts';
import type { Instant } from '../time.ts';
import { currentBuckets, deriveUsage } from './account.ts';
import type { Account } from './account.ts';
import type { UseCommand } from './commands.ts';
import { decideEvent } from './decide-event.ts';
import type { EventDecision } from './event-decision.ts';
import type { Feature, LimitSettings, MeteredSettings } from './features.ts';
import type { UsageEvent } from './usage-event.ts';
import { defaultUsagePolicy } from './usage-policy.ts';
import type { UsagePolicy } from './usage-policy.ts';
import { emptyUsageState } from './usage-state.ts';
import type { UsageState } from './usage-state.ts';

export const at = (text: string): Instant => Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text);

export const metered = (fields: Partial<MeteredSettings> = {}): MeteredSettings => ({
  allowance: 100,
  period: 'billing',
  anchor: 'source',
  per_unit: false,
  overage: 'deny',
  overage_limit: null,
  ...fields,
});

export const aLimit = (fields: Partial<LimitSettings> = {}): LimitSettings => ({
  limit: 5,
  per_unit: false,
  add_on: false,
  ...fields,
});

export const meteredFeature: Feature = { kind: 'metered', counted: false, thresholds: [] };
export const seats: Feature = { kind: 'limit', counted: true, thresholds: [] };

type ItemFields = Parameters<typeof anItem>[0];

/** An item of a subscription that gives `f`, for a period in whole days. */
export const itemOf = (
  settings: MeteredSettings | LimitSettings,
  [start, end]: [string, string],
  fields: ItemFields = {},
) =>
  anItem({
    features: { f: settings },
    currentPeriodStart: at(start),
    currentPeriodEnd: at(end),
    ...fields,
  });

/** A subscription with one such item. */
export const subscriptionOf = (
  settings: MeteredSettings | LimitSettings,
  period: [string, string],
  fields: Parameters<typeof aSubscription>[0] & { item?: ItemFields } = {},
) => {
  const { item, ...own } = fields;
  return aSubscription({ items: [itemOf(settings, period, item)], startDate: at(period[0]), ...own });
};

/** A purchase of a pack. */
export const packOf = (
  settings: MeteredSettings,
  {
    id = 'pi_1',
    paid,
    days = null,
    quantity = 1,
  }: { id?: string; paid: string; days?: number | null; quantity?: number },
) =>
  aPurchase({
    id,
    paidAt: at(paid),
    items: [aBoughtItem({ features: { f: settings }, accessDays: days, quantity })],
  });

export type Scene = Partial<Sources> & {
  now: string | Instant;
  feature?: Feature;
  policy?: Partial<UsagePolicy>;
  /** Of access. */
  access?: Parameters<typeof contextOf>[0];
  defaults?: DefaultSource[];
  state?: UsageState;
};

/** When the user's entitlements change by themselves. */
export function entitlementsUntil({
  now,
  feature: _feature,
  policy: _policy,
  access,
  ...sources
}: Scene): Instant | null {
  const moment = typeof now === 'string' ? at(now) : now;
  const all = { subscriptions: [], purchases: [], grants: [], ...sources };
  return deriveEntitlements(all, contextOf(access, moment)).validUntil;
}

/** What a user has of `f`, as derived from sources. */
export function accountOf({
  now,
  feature = meteredFeature,
  policy,
  access,
  defaults = [],
  state,
  ...sources
}: Scene): Account {
  const moment = typeof now === 'string' ? at(now) : now;
  const all = { subscriptions: [], purchases: [], grants: [], ...sources };
  const { evaluations } = deriveEntitlements(all, contextOf(access, moment));
  return {
    userId: 'u',
    state: state ?? emptyUsageState,
    offer: deriveUsage({
      featureCode: 'f',
      feature,
      evaluations,
      defaults,
      policy: { ...defaultUsagePolicy, ...policy },
      now: moment,
      renewalAllowanceMs: allowanceMs,
    }),
  };
}

const shortDate = (moment: Instant | null): string => {
  if (moment === null) return '…';
  const [date = '', time = ''] = new Date(moment).toISOString().slice(0, 16).split('T');
  return time === '00:00' ? date : `${date}T${time}`;
};

/** Each bucket in the order of burning: its id, from, to, granted. */
export const seen = (account: Account): string[] =>
  currentBuckets(account).map(
    ({ sourceId, start, terms: { end }, granted }) =>
      `${sourceId} ${shortDate(start)} ${shortDate(end)} ${granted ?? 'unlimited'}`,
  );

let serial = 0;
export const aUse = (fields: Partial<UseCommand> = {}): UseCommand => {
  serial += 1;
  return {
    kind: 'use',
    eventId: `e${serial}`,
    quantity: 1,
    mode: 'enforce',
    timestamp: null,
    corrects: null,
    properties: null,
    ...fields,
  };
};

export const lateMs = 35 * 86_400_000;

export const decide = (
  account: Account,
  command: Parameters<typeof decideEvent>[1],
  known: { same?: UsageEvent; corrected?: UsageEvent } = {},
): EventDecision =>
  decideEvent(account, command, { same: known.same ?? null, corrected: known.corrected ?? null }, { lateMs });

/** The account after the event, which must be stored. */
export function after(
  account: Account,
  command: Parameters<typeof decideEvent>[1],
  corrected?: UsageEvent,
): Account {
  const decision = decide(account, command, corrected === undefined ? {} : { corrected });
  if (decision.kind !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(decision)}`);
  return decision.change.account;
}

/** The same usage under what is offered at another moment, or by other sources. */
export const later = ({ state }: Account, scene: Scene): Account => accountOf({ ...scene, state });

/** The account after the event, which must be stored, and its row. */
export function eventOf(
  account: Account,
  command: Parameters<typeof decideEvent>[1],
): { account: Account; event: UsageEvent } {
  const decided = decide(account, command);
  if (decided.kind !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(decided)}`);
  return { account: decided.change.account, event: decided.event };
}
