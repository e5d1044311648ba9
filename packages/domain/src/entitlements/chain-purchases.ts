import { compareTexts } from '../compare-texts.ts';
import { dayMs, lastInstant } from '../time.ts';
import type { Instant } from '../time.ts';
import type { PurchaseItemSource, PurchaseSource } from './sources.ts';

/** When access by an item ends: by the item as it is in the sources. */
export type ChainEnds = ReadonlyMap<PurchaseItemSource, Instant>;

type Link = { item: PurchaseItemSource; purchaseId: string; paidAt: Instant; ms: number };

/** How long the item gives access, in ms; null: for ever. */
const lengthOf = ({ accessDays, quantity }: PurchaseItemSource): number | null =>
  accessDays === null ? null : accessDays * quantity * dayMs;

/** Many pieces of a long pass must not lead beyond what a timestamp can say. */
const bounded = (at: Instant): Instant => Math.min(at, lastInstant);

/** When access by the item ends if nothing else was bought; null: never, or not paid yet. */
export function endAlone({ paidAt }: PurchaseSource, item: PurchaseItemSource): Instant | null {
  const ms = lengthOf(item);
  return ms === null || paidAt === null ? null : bounded(paidAt + ms);
}

function linksOf(purchase: PurchaseSource): [productId: string, link: Link][] {
  const { id: purchaseId, paidAt } = purchase;
  return purchase.items.flatMap((item) => {
    const ms = lengthOf(item);
    // No piece adds no time, and begins no chain.
    if (ms === null || ms === 0 || paidAt === null || item.productId === null) return [];
    return [[item.productId, { item, purchaseId, paidAt, ms }]];
  });
}

const compareLinks = (a: Link, b: Link): number =>
  a.paidAt - b.paidAt ||
  compareTexts(a.purchaseId, b.purchaseId) ||
  compareTexts(a.item.stripePriceId, b.item.stripePriceId);

/** Chains of one product, each with its end: a purchase after the end of all before it begins another one. */
function chainsOf(links: readonly Link[]): { links: Link[]; end: Instant }[] {
  const chains: { links: Link[]; end: Instant }[] = [];
  for (const link of links.toSorted(compareLinks)) {
    const last = chains.at(-1);
    if (last === undefined || link.paidAt > last.end)
      chains.push({ links: [link], end: bounded(link.paidAt + link.ms) });
    else {
      last.links.push(link);
      last.end = bounded(Math.max(last.end, link.paidAt) + link.ms);
    }
  }
  return chains;
}

/**
 * Purchases of one product follow each other in time: two passes of 30 days bought on days 0 and 10 end on day 60.
 * All of a chain are in force from their payment to its end, and each piece adds its `access_days`. Pass only what
 * counts: a purchase that was taken back is left out, as if it had not been bought. Those without `access_days` last
 * for ever and are in no chain.
 */
export function chainPurchases(counting: readonly PurchaseSource[]): ChainEnds {
  const byProduct = new Map<string, Link[]>();
  for (const [productId, link] of counting.flatMap(linksOf)) {
    const known = byProduct.get(productId);
    if (known === undefined) byProduct.set(productId, [link]);
    else known.push(link);
  }
  const chains = [...byProduct.values()].flatMap(chainsOf);
  return new Map(chains.flatMap(({ links, end }) => links.map(({ item }) => [item, end] as const)));
}
