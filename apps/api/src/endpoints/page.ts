import type { Page } from '@billing/store';

/** A page of a list in the shape of its answer. */
export const presentPage = <T, U>(
  page: Page<T>,
  present: (row: T) => U,
): { data: U[]; next_cursor: string | null } => ({
  data: page.rows.map(present),
  next_cursor: page.nextCursor,
});

/** A page that holds one row. */
export const pageExample = (row: object) => ({ data: [row], next_cursor: null });

/** When a row was made and last changed. */
export const presentDates = (row: { createdAt: Date; updatedAt: Date }) => ({
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

export const datesExample = {
  created_at: '2026-11-01T09:00:00.000Z',
  updated_at: '2026-11-20T09:00:00.000Z',
};
