/** A customer's invoices as Stripe lists them, newest first, from where the page before ended. */
export type CustomerPage<T> = { customer: string; rows: readonly T[]; hasMore: boolean };

/** How far each customer's list is read: the last row, `''` for none yet; a customer whose list has ended is left out. */
export type Position = { customer: string; after: string };

export type MergedPage<T> = { rows: T[]; next: Position[] };

type Row = { id: string; created: number };

/**
 * The newest rows of several lists. A list that goes on hides what the others have before its last row: newer ones may
 * follow in it. So a page may have fewer rows than the limit although there are more.
 */
export function mergePages<T extends Row>(
  pages: readonly CustomerPage<T>[],
  { limit, before, isShown }: { limit: number; before: readonly Position[]; isShown: (row: T) => boolean },
): MergedPage<T> {
  const horizon = Math.max(
    Number.NEGATIVE_INFINITY,
    ...pages
      .filter(({ hasMore }) => hasMore)
      .map(({ rows }) => rows.at(-1)?.created ?? Number.POSITIVE_INFINITY),
  );
  const rows = pages
    .flatMap((page) => page.rows)
    .filter((row) => isShown(row) && row.created >= horizon)
    // Of the same moment each list keeps its order: it is read on behind the last row that was taken.
    .sort((a, b) => b.created - a.created)
    .slice(0, limit);
  const taken = new Set(rows.map(({ id }) => id));
  const next = pages.flatMap(({ customer, rows: listed, hasMore }): Position[] => {
    const firstLeft = listed.findIndex((row) => isShown(row) && !taken.has(row.id));
    if (firstLeft < 0 && !hasMore) return [];
    const last = (firstLeft < 0 ? listed : listed.slice(0, firstLeft)).at(-1);
    const start = before.find((one) => one.customer === customer)?.after ?? '';
    return [{ customer, after: last?.id ?? start }];
  });
  return { rows, next };
}
