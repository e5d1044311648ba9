import type { UsageCommand } from '@billing/domain';

/** One user and feature of a project: what a state's row, and its lock, are of. */
export type AccountKey = { projectId: string; userId: string; featureCode: string };

export type AskedCommand = AccountKey & { command: UsageCommand };

/** One text for each: what is before the last part has its length. */
export const accountText = ({ projectId, userId, featureCode }: AccountKey): string =>
  `${projectId.length}:${projectId}${userId.length}:${userId}${featureCode}`;

/** The columns of keys, for `unnest`. */
export const columnsOf = (keys: readonly AccountKey[]) => ({
  projects: keys.map(({ projectId }) => projectId),
  users: keys.map(({ userId }) => userId),
  features: keys.map(({ featureCode }) => featureCode),
});

export function groupByAccount<Row extends AccountKey>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = accountText(row);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [row]);
    else known.push(row);
  }
  return groups;
}
