import { systemClock } from '@billing/domain';
import type { CommandResult, UseCommand } from '@billing/domain';
import { createLogger } from '@billing/platform';
import { createTestDatabase } from '@billing/testing';
import { createDatabase } from '../create-database.ts';
import { createCommitter } from './create-committer.ts';
import type { AskedCommand } from './account-key.ts';
import { createSourceCopies } from './source-copies.ts';
import type { UsageCache } from './usage-cache.ts';
import type { UsageSettings } from './usage-settings.ts';

export const testSettings: UsageSettings = {
  pastDueGraceDays: 7,
  renewalAllowanceMs: 24 * 3_600_000,
  lateMs: 35 * 86_400_000,
  retentionMs: 92 * 86_400_000,
  seriesMs: 400 * 86_400_000,
};

/** A cache that is away. */
export const noCache: UsageCache = {
  lookUp: () => Promise.reject(new Error('nobody looks up')),
  fill: () => Promise.resolve(),
  mark: () => Promise.resolve(null),
  rememberAnswered: () => undefined,
  store: () => Promise.resolve(),
  forget: () => Promise.resolve(),
};

export const silent = createLogger({ service: 'test', level: 'error', format: 'json' });

/** Committers on one database, as several processes have them, and a project with described features. */
export async function startUsage() {
  const place = await createTestDatabase();
  const opened: ReturnType<typeof openDatabase>[] = [];
  function openDatabase() {
    const database = createDatabase({
      url: place.url,
      poolSize: 6,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
    });
    return database;
  }
  let offsetMs = 0;
  const clock = () => systemClock() + offsetMs;

  function process(settings: Partial<UsageSettings> = {}, cache = noCache) {
    const database = openDatabase();
    opened.push(database);
    const sources = createSourceCopies(database);
    const uncovered: number[] = [];
    const committer = createCommitter({
      database,
      clock,
      sources,
      settings: { ...testSettings, ...settings },
      cache,
      observe: {
        batch: () => undefined,
        decided: () => undefined,
        uncovered: (quantity) => void uncovered.push(quantity),
      },
    });
    const submit = (asked: AskedCommand, withinMs = 10_000): Promise<CommandResult> =>
      committer.submit(asked, { endsAt: performance.now() + withinMs });
    return { database, committer, submit, uncovered };
  }

  const first = process();
  const { database } = first;
  await database.project.create({ data: { id: 'p', name: 'p' } });
  await database.feature.createMany({
    data: [
      { projectId: 'p', featureCode: 'calls', kind: 'metered', thresholds: [80, 100] },
      { projectId: 'p', featureCode: 'seats', kind: 'limit', counted: true },
    ],
  });

  return {
    place,
    ...first,
    process,
    clock,
    advance: (ms: number): void => {
      offsetMs += ms;
    },
    /** Gives a user so much of a feature, for ever. */
    async grant(userId: string, amount: number, featureCode = 'calls'): Promise<void> {
      const user = await database.user.upsert({
        where: { projectId_userId: { projectId: 'p', userId } },
        create: { projectId: 'p', userId },
        update: { version: { increment: 1 } },
      });
      await database.grant.create({
        data: {
          id: `grant_${userId}_${featureCode}_${user.version}`,
          userRef: user.id,
          featureCode,
          amount: BigInt(amount),
          validFrom: new Date(0),
          reason: 'test',
          grantedBy: 'tester',
          grantedAt: new Date(0),
        },
      });
    },
    close: async (): Promise<void> => {
      await Promise.all(opened.map((one) => one.$disconnect()));
      await place.drop();
    },
  };
}

export type TestUsage = Awaited<ReturnType<typeof startUsage>>;

export const use = (eventId: string, fields: Partial<UseCommand> = {}): UseCommand => ({
  kind: 'use',
  eventId,
  quantity: 1,
  mode: 'enforce',
  timestamp: null,
  corrects: null,
  properties: null,
  ...fields,
});

export const asked = (
  userId: string,
  command: AskedCommand['command'],
  featureCode = 'calls',
): AskedCommand => ({ projectId: 'p', userId, featureCode, command });
