/** One user and feature of a project: what a state's row, and its lock, are of. */
export type AccountKey = { projectId: string; userId: string; featureCode: string };

/** One text for each: what is before the last part has its length. */
export const accountText = ({ projectId, userId, featureCode }: AccountKey): string =>
  `${projectId.length}:${projectId}${userId.length}:${userId}${featureCode}`;

/** The columns of keys, for `unnest`. */
export const columnsOf = (keys: readonly AccountKey[]) => ({
  projects: keys.map(({ projectId }) => projectId),
  users: keys.map(({ userId }) => userId),
  features: keys.map(({ featureCode }) => featureCode),
});
