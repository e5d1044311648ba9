import { policyOverrides } from '@billing/domain';
import type { DefaultSource, FeaturesByCode, GrantSource, PolicyOverrides, Sources } from '@billing/domain';
import type { Database } from './create-database.ts';
import { readAgainIfConnectionLost } from './read-again.ts';
import { sourcesStatement } from './sources-statement.ts';

/** All that the entitlements of one user are derived from, of one snapshot of the database. */
export type UserSources = {
  userId: string;
  isKnown: boolean;
  userRef: number | null;
  userVersion: number;
  projectVersion: number;
  policy: PolicyOverrides;
  /** The project's limits and metered features, by code: all others are boolean. */
  features: FeaturesByCode;
  sources: Sources;
  /** Of each subscription of which the user has an older one, the oldest of these, by their ids. Empty where nothing is explained. */
  duplicates: Readonly<Record<string, string>>;
};

/** A source as it is read: null stands for an item of another project's price. */
type Read<Source extends { items: readonly unknown[] }> = Omit<Source, 'items'> & {
  items: (Source['items'][number] | null)[];
};

type Row = {
  user_id: string;
  user_ref: number | null;
  user_version: number | null;
  project_version: number;
  policy: unknown;
  /** Absent: not asked. */
  duplicates?: Record<string, string> | null;
  subscriptions: Read<Sources['subscriptions'][number]>[] | null;
  purchases: Read<Sources['purchases'][number]>[] | null;
  grants: (GrantSource & { isUnlimited: boolean; amount: number | null })[] | null;
};

type Answer = { users: Row[]; features: FeaturesByCode | null; defaults: DefaultSource[] | null };

/**
 * Reads everything about 1 to 200 users of one project in one statement, so that versions and sources are
 * of one snapshot. Feature codes come by the project's own catalog: items of another project's prices are left out.
 * Instants leave Postgres as milliseconds. Empty without the project. `isExplained`: with what an explanation shows.
 */
export async function readSources(
  database: Pick<Database, '$queryJson'>,
  projectId: string,
  userIds: readonly string[],
  { isExplained = false }: { isExplained?: boolean } = {},
): Promise<Map<string, UserSources>> {
  const ask = () => database.$queryJson<Answer>(sourcesStatement({ projectId, userIds, isExplained }));
  const { users, features, defaults } = await readAgainIfConnectionLost(ask);
  return new Map(
    users.map((row) => [
      row.user_id,
      toUserSources(row, { features: features ?? {}, defaults: defaults ?? [] }),
    ]),
  );
}

/** Sources with the items that are the project's to see, without those of which all items are another project's. */
function ourSources<Item, Source extends { items: readonly (Item | null)[] }>(
  sources: readonly Source[] | null,
) {
  return (sources ?? []).flatMap((source) => {
    const items = source.items.filter((item) => item !== null);
    return items.length === 0 && source.items.length > 0 ? [] : [{ ...source, items }];
  });
}

/** A grant of a boolean feature has no amount at all. */
function toGrant({ isUnlimited, amount, ...grant }: NonNullable<Row['grants']>[number]): GrantSource {
  return isUnlimited || amount !== null ? { ...grant, amount } : grant;
}

function toUserSources(
  row: Row,
  { features, defaults }: { features: FeaturesByCode; defaults: DefaultSource[] },
): UserSources {
  return {
    userId: row.user_id,
    isKnown: row.user_ref !== null,
    userRef: row.user_ref,
    userVersion: row.user_version ?? 0,
    projectVersion: row.project_version,
    policy: policyOverrides.parse(row.policy),
    features,
    duplicates: row.duplicates ?? {},
    sources: {
      subscriptions: ourSources(row.subscriptions),
      purchases: ourSources(row.purchases),
      grants: (row.grants ?? []).map(toGrant),
      ...(defaults.length === 0 ? {} : { defaults }),
    },
  };
}
