import type { BenchEnvironment } from '../environment/set-up.ts';
import { createHttpClient } from '../load/http-client.ts';
import type { HttpClient, Reply } from '../load/http-client.ts';
import type { Row } from '../report/row.ts';

export type Settings = {
  rounds: number;
  /** Of one variant in one round. */
  seconds: number;
  /** When a warm-up is given up whose figure does not stand. */
  warmSeconds: number;
  say: (line: string) => void;
};

/** One scenario of the benchmark. */
export type Scenario = {
  name: string;
  /** Runs when none is picked. */
  isDefault: boolean;
  run: (environment: BenchEnvironment, settings: Settings) => Promise<Row[]>;
};

export const checkPath = (userId: string): string =>
  `/api/v1/entitlements?user_id=${encodeURIComponent(userId)}`;

/** The first `count` of the seeded users that have a subscription. */
export const subscribedUsers = ({ seeded }: BenchEnvironment, count: number): string[] =>
  Array.from(
    { length: Math.min(count, seeded.subscribedCount) },
    (_, index) => `${seeded.userPrefix}${index + 1}`,
  );

export type Checker = { check: (userId: string) => Promise<Reply>; close: () => void };

/** Checks through one API; throws unless it answers 200. */
export function createChecker(url: string, { seeded }: BenchEnvironment): Checker {
  const client = createHttpClient(url);
  const headers = { authorization: `Bearer ${seeded.apiKey}` };
  return {
    async check(userId) {
      const reply = await client.send({ path: checkPath(userId), headers });
      if (reply.status !== 200)
        throw new Error(`The check of ${userId} answered ${reply.status}: ${reply.text}`);
      return reply;
    },
    close: client.close,
  };
}

/** The sum of the API's own metrics that match; the pattern's first group is the value. */
export async function sumOfMetrics(client: HttpClient, pattern: RegExp): Promise<number> {
  const { text } = await client.send({ path: '/metrics' });
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}
