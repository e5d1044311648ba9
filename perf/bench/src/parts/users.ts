import type { Running } from '../stage/start-process.ts';
import type { Stage } from '../stage/set-stage.ts';

export const checkPath = (userId: string): string =>
  `/api/v1/entitlements?user_id=${encodeURIComponent(userId)}`;

/** The first `count` of the seeded users that have a subscription. */
export const subscribedUsers = ({ seeded }: Stage, count: number): string[] =>
  Array.from(
    { length: Math.min(count, seeded.subscribedCount) },
    (_, index) => `${seeded.userPrefix}${index + 1}`,
  );

/** One check through an API; throws if it fails. */
export async function check(api: Running, stage: Stage, userId: string) {
  const response = await fetch(api.url + checkPath(userId), {
    headers: { authorization: `Bearer ${stage.seeded.apiKey}` },
    signal: AbortSignal.timeout(5_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The check of ${userId} answered ${response.status}: ${text}`);
  return { text, cache: response.headers.get('x-cache') };
}
