import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadPlan } from './plan.ts';

const batchUsers = 100;
const concurrency = 4;
const tries = 5;

export type WarmTarget = {
  apiUrl: string;
  apiKey: string;
  /** Users 1 to this one are read. */
  users: number;
};

/** Reads users through the API's batch endpoint, so that their answers are cached. Returns how many were read. */
export async function warmCache(plan: Pick<LoadPlan, 'userPrefix'>, target: WarmTarget): Promise<number> {
  let next = 1;
  let done = 0;
  const reader = async (): Promise<void> => {
    while (next <= target.users) {
      const from = next;
      next += batchUsers;
      const size = Math.min(batchUsers, target.users - from + 1);
      await readBatch(
        target,
        Array.from({ length: size }, (_, index) => `${plan.userPrefix}${from + index}`),
      );
      done += size;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, reader));
  return done;
}

async function readBatch({ apiUrl, apiKey }: WarmTarget, userIds: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const status = await post(`${apiUrl}/api/v1/entitlements/batch`, apiKey, userIds);
    if (status === 200) return;
    const isWorthTrying = status === null || status === 401 || status === 429 || status >= 500;
    if (!isWorthTrying || attempt === tries)
      throw new Error(
        `Warming the cache at ${apiUrl} failed (${status ?? 'no answer'}). Is the API running, on this database?`,
      );
    // A new key may be refused for a second: the API remembers unknown keys that long.
    await sleep(attempt * 300 + Math.random() * 200);
  }
}

async function post(url: string, apiKey: string, userIds: readonly string[]): Promise<number | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ user_ids: userIds }),
      signal: AbortSignal.timeout(5_000),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}
