import type { Redis } from 'ioredis';

type Asking = {
  key: string;
  proceed: () => void;
  settle: (exists: boolean) => void;
  fail: (error: unknown) => void;
};

/** Not by its digest: a server that has just been started would refuse it, and what comes after would overtake it. */
const existsEach = `
local found = {}
for index, key in ipairs(KEYS) do found[index] = redis.call('EXISTS', key) end
return found`;

/**
 * Asks Redis whether a key exists, by one command for all who ask in the same turn of the event loop. `proceed` is
 * called when the question is on its way: what it sends on the same connection is done after the question was answered.
 * Of several who ask about one key in one turn, it exists for all but the first: they come after that one's `proceed`.
 */
export function createExistsBatcher(redis: Redis): (key: string, proceed: () => void) => Promise<boolean> {
  let waiting: Asking[] = [];

  async function ask(keys: readonly string[]): Promise<unknown[]> {
    const [only, ...others] = keys;
    if (only !== undefined && others.length === 0) return [await redis.exists(only)];
    const found = await redis.eval(existsEach, keys.length, ...keys);
    if (!Array.isArray(found)) throw new Error('Redis did not answer with a list');
    return found;
  }

  function send(): void {
    const asking = waiting;
    waiting = [];
    const met = new Set<string>();
    const isAskedTwice = asking.map(({ key }) => met.size === met.add(key).size);
    ask(asking.map(({ key }) => key)).then(
      (found) =>
        asking.forEach(({ settle }, index) => settle(found[index] === 1 || isAskedTwice[index] === true)),
      (error: unknown) => asking.forEach(({ fail }) => fail(error)),
    );
    for (const { proceed } of asking) proceed();
  }

  return (key, proceed) =>
    new Promise((settle, fail) => {
      waiting.push({ key, proceed, settle, fail });
      if (waiting.length === 1) setImmediate(send);
    });
}
