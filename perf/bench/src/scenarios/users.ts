import { createHttpClient } from '../load/http-client.ts';
import type { Reply } from '../load/http-client.ts';
import type { BenchEnvironment } from '../environment/set-up.ts';

export const checkPath = (userId: string): string =>
  `/api/v1/entitlements?user_id=${encodeURIComponent(userId)}`;

/** The first `count` of the seeded users that have a subscription. */
export const subscribedUsers = ({ seeded }: BenchEnvironment, count: number): string[] =>
  Array.from(
    { length: Math.min(count, seeded.subscribedCount) },
    (_, index) => `${seeded.userPrefix}${index + 1}`,
  );

/** Checks through one API; a refusal is an error. */
export function createChecker(url: string, { seeded }: BenchEnvironment) {
  const client = createHttpClient(url);
  const headers = { authorization: `Bearer ${seeded.apiKey}` };
  return {
    async check(userId: string): Promise<Reply> {
      const reply = await client.send({ path: checkPath(userId), headers });
      if (reply.status !== 200)
        throw new Error(`The check of ${userId} answered ${reply.status}: ${reply.text}`);
      return reply;
    },
    close: (): void => client.close(),
  };
}
