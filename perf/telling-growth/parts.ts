import { waitFor } from '@billing/testing';
import { failOnFailed, openLoop } from '../bench/src/load/open-loop.ts';
import type { Latencies } from '../bench/src/load/open-loop.ts';
import type { Cpu } from '../bench/src/measure/cpu-time.ts';
import { endWithinMinute, productId, projectId } from './fill.ts';
import { readKept, untilQuiet } from './world.ts';
import type { World } from './world.ts';

type Say = (line: string) => void;

const hourMs = 3_600_000;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const shown = ({ p50, p95, max, count, failed, firstFailure }: Latencies): string =>
  `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, longest ${max.toFixed(0)} ms, ${failed} of ${count + failed} failed` +
  (firstFailure === undefined ? '' : ` (${firstFailure})`);

const shownCpu = (cpu: Cpu): string =>
  Object.entries(cpu)
    .map(([name, micros]) => `${name} ${Math.round(micros)}`)
    .join(', ');

/** The codes that the product knows of each user, by the last message about the user. */
function lastTold({ receiver }: World): Map<string, Set<string>> {
  const last = new Map<string, Set<string>>();
  for (const { body } of receiver.arrivals) {
    const { data } = readKept(body);
    if (data.user_id === undefined) continue;
    last.set(data.user_id, new Set(data.entitlements?.map((entry) => entry.feature_code)));
  }
  return last;
}

/** Changes of any users at a fixed rate until `work` is done; each must have been told in the end. */
async function whileChanging(
  world: World,
  { name, perSecond, say }: { name: string; perSecond: number; say: Say },
  work: () => Promise<unknown>,
): Promise<void> {
  const changed: [userId: string, code: string][] = [];
  const over = new AbortController();
  const working = work().finally(() => over.abort());
  // It is awaited below.
  working.catch(() => undefined);
  while (!over.signal.aborted)
    failOnFailed(
      await openLoop({
        perSecond,
        seconds: 1,
        request: async () => {
          const [userId, code] = [world.anyUser(), `${name}_${changed.length}`];
          changed.push([userId, code]);
          await world.grant(userId, code);
        },
      }),
      'changes',
    );
  await working;
  await untilQuiet(world, hourMs);
  const last = lastTold(world);
  const missing = changed.filter(([userId, code]) => last.get(userId)?.has(code) !== true);
  if (missing.length > 0)
    throw new Error(
      `${missing.length} of ${changed.length} changes were not told: ${missing.map(([, code]) => code).join()}`,
    );
  say(`${name}: ${changed.length} changes meanwhile, each told`);
}

const untilNoFanOut = (world: World): Promise<unknown> =>
  waitFor(async () => (await world.countOf('public.webhook_fan_outs')) === 0, {
    timeoutMs: hourMs,
    intervalMs: 250,
    what: 'all users to be looked at',
  });

/** The base line of all users, while some of them change. */
export async function baseLine(world: World, say: Say): Promise<void> {
  const startedAt = performance.now();
  const cpuOf = world.countCpu();
  // What changed before there is an endpoint is told to nobody.
  await world.makeEndpoint();
  await whileChanging(world, { name: 'base_line', perSecond: 20, say }, async () => {
    await untilNoFanOut(world);
    const took = performance.now() - startedAt;
    const cpu = shownCpu(cpuOf(world.users));
    say(
      `base line: ${seconds(took)}, ${Math.round((world.users / took) * 1000)} users a second (CPU µs each: ${cpu})`,
    );
  });
  const states = await world.countOf('public.webhook_states');
  if (states < world.users) throw new Error(`the base line has ${states} of ${world.users} users`);
}

/** A change of what all users have. */
export async function catalog(world: World, say: Say): Promise<void> {
  const { arrivals } = world.receiver;
  arrivals.length = 0;
  const startedAt = performance.now();
  const cpuOf = world.countCpu();
  await whileChanging(world, { name: 'own', perSecond: 2, say }, async () => {
    await world.admin('PATCH', `/projects/${projectId}/products/${productId}`, { feature_codes: ['a', 'c'] });
    await waitFor(() => arrivals.some(({ body }) => body.includes('"catalog.changed"')), {
      intervalMs: 5,
      what: 'catalog.changed',
    });
    say(`catalog.changed: after ${seconds(performance.now() - startedAt)}`);
    await untilNoFanOut(world);
    const took = performance.now() - startedAt;
    const cpu = shownCpu(cpuOf(world.users));
    say(
      `users of the catalog: ${seconds(took)}, ${Math.round((world.users / took) * 1000)} a second (CPU µs each: ${cpu})`,
    );
  });
  const knowing = [...lastTold(world).values()].filter((codes) => codes.has('c')).length;
  if (knowing < world.users) throw new Error(`${knowing} of ${world.users} users were told of`);
}

const sampleMs = 10_000;

/** What all users have ends within one minute: how it drains, and what checks feel of it. */
export async function boundaries(world: World, say: Say): Promise<void> {
  const { arrivals } = world.receiver;
  await world.cache.flushall();
  await world.check({ perSecond: 100, seconds: 10 });
  say(`checks before: ${shown(await world.check({ perSecond: 100, seconds: 20 }))}`);
  const at = new Date(Date.now() + 15_000 + world.users / 10);
  await endWithinMinute(world.client, at);
  await world.cache.flushall();
  arrivals.length = 0;
  await waitFor(() => Date.now() >= at.getTime(), { timeoutMs: hourMs, what: 'the minute' });
  const startedAt = performance.now();
  const rates: number[] = [];
  let before = 0;
  const sampling = setInterval(() => {
    rates.push(((arrivals.length - before) / sampleMs) * 1000);
    before = arrivals.length;
  }, sampleMs);
  say(`checks in the minute: ${shown(await world.check({ perSecond: 100, seconds: 60 }))}`);
  await waitFor(() => arrivals.length >= world.users, {
    timeoutMs: 3 * hourMs,
    intervalMs: 100,
    what: 'every end to be told',
  });
  clearInterval(sampling);
  const took = (arrivals[world.users - 1]?.at ?? 0) - startedAt;
  // The first sample is of the minute that begins.
  const steady = rates.slice(1, Math.floor(took / sampleMs));
  say(
    `ends told: ${world.users} in ${seconds(took)}, ${Math.min(...steady).toFixed(0)} to ${Math.max(...steady).toFixed(0)} a second in each 10 s`,
  );
  const ending = [...lastTold(world).values()].filter((codes) => codes.has('ends')).length;
  if (ending > 0) throw new Error(`${ending} users still have what ended`);
}
