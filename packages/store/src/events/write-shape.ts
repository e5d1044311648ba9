import type { TableSql } from './define-table.ts';

/** What a batch has: its statement has no parts for anything else, as Postgres prepares all that it is given. */
export type WriteShape = {
  /** One outcome, of one event, user and item at most: the statement takes values, which cost much less than JSON. */
  isLone: boolean;
  hasBumps: boolean;
  hasNewUsers: boolean;
  hasOwners: boolean;
  hasSubscriptions: boolean;
  hasSubscriptionItems: boolean;
  hasPurchases: boolean;
  hasPurchaseItems: boolean;
  hasTombstones: boolean;
  hasEvents: boolean;
};

export type Parts = Record<string, string | false>;

/**
 * Always true, and makes a CTE wait for another one: Postgres promises no order among CTEs that write, but finishes
 * one before it counts its rows. All writers lock users, then subscriptions, then purchases, each in the order of
 * their ids (`COLLATE "C"`), so that no two of them wait for each other.
 */
export const after = (cte: string): string => `(SELECT count(*) FROM ${cte}) >= 0`;

export const where = (...conditions: (string | false)[]): string => {
  const given = conditions.filter((one) => one !== false);
  return given.length === 0 ? '' : `WHERE ${given.join(' AND ')}`;
};

/** The rows that are sent for a table, as `x`. */
export const sentRows = ({ isLone }: WriteShape, { name, oneRow, recordset }: TableSql): string =>
  isLone ? `(SELECT ${oneRow}) AS x` : `json_to_recordset($${name}::json) AS x(${recordset})`;
