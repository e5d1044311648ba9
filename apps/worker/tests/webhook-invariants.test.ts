import { setTimeout as sleep } from 'node:timers/promises';
import { revokeGrant } from '@billing/store';
import { waitFor } from '@billing/testing';
import * as fc from 'fast-check';
import { addEndpoint, startTellingWorld } from './support/telling-world.test-support.ts';
import type { TellingWorld, ToldMessage } from './support/telling-world.test-support.ts';

let world: TellingWorld;
beforeAll(async () => {
  world = await startTellingWorld({ env: { WEBHOOK_FANOUT_PER_SECOND: '1000' } });
});
afterAll(() => world.close());

type Entry = Record<string, unknown> & { feature_code: string };

/** What a read says now, of what a difference in is a change. */
async function readNow(projectId: string, userId: string): Promise<Entry[]> {
  const features = await world.features(Date.now(), userId, projectId);
  return features.map(({ featureCode, sourceId }) => ({ feature_code: featureCode, source_id: sourceId }));
}

const statesOf = ({ data }: ToldMessage): Entry[] =>
  (data.entitlements ?? []).map(({ feature_code, source_id }) => ({ feature_code, source_id }));

const codes = ['a', 'b', 'c'];
const users = ['u1', 'u2', 'u3'];
const change = fc.oneof(
  fc.record({
    kind: fc.constant('grant' as const),
    user: fc.constantFrom(...users),
    code: fc.constantFrom(...codes),
    startsIn: fc.constantFrom(-500, 0, 300, 900),
    lasts: fc.constantFrom(200, 700, 1_500, 86_400_000),
  }),
  fc.record({ kind: fc.constant('revoke' as const), index: fc.nat(20) }),
  fc.record({ kind: fc.constant('catalog' as const), codes: fc.subarray(['x', 'y', 'a'], { minLength: 0 }) }),
  fc.record({
    kind: fc.constant('subscribe' as const),
    user: fc.constantFrom(...users),
    endsIn: fc.constantFrom(400, 1_000, 86_400_000),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(120) }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

async function makeOne(
  {
    projectId,
    grants,
    ...product
  }: { projectId: string; productId: string; stripePriceId: string; grants: string[] },
  one: Change,
): Promise<void> {
  const { actor, database } = world;
  const now = Date.now();
  if (one.kind === 'wait') await sleep(one.ms);
  if (one.kind === 'catalog') await world.setFeatures(projectId, product.productId, one.codes);
  if (one.kind === 'subscribe')
    await world.subscribe(projectId, one.user, { ...product, cancelAt: now + one.endsIn });
  if (one.kind === 'grant') {
    const validFrom = now + one.startsIn;
    const bounds = { validFrom, validTo: validFrom + one.lasts };
    grants.push(await world.grant(projectId, one.user, { featureCode: one.code, ...bounds }));
  }
  const id = one.kind === 'revoke' ? grants.at(one.index % Math.max(1, grants.length)) : undefined;
  if (id === undefined) return;
  const request = { grant_id: id, reason: 'test', dry_run: false };
  await revokeGrant(database, request, { actor, now }).catch(() => undefined);
}

/** Three at a time, so that changes come while others are told. */
async function make(product: Omit<Parameters<typeof makeOne>[0], 'grants'>, changes: readonly Change[]) {
  const grants: string[] = [];
  const left = [...changes];
  const work = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift())
      await makeOne({ ...product, grants }, one);
  };
  await Promise.all([work(), work(), work()]);
}

/** Each message is a change, follows the one before, and has a greater version. */
function expectChain(messages: readonly ToldMessage[]): void {
  for (const [index, { data }] of messages.entries()) {
    const before = messages[index - 1]?.data;
    expect(data.changes).not.toEqual([]);
    if (before === undefined) continue;
    expect(data.previous_version).toBe(before.version);
    expect(data.version).toBeGreaterThan(before.version);
  }
}

it('tells whatever changes, and time, until the last message is what a read says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 6, maxLength: 24 }), async (changes) => {
      const projectId = await world.newProject();
      const product = await world.sell(projectId, ['x']);
      await world.grant(projectId, 'u1', { featureCode: 'a' });
      await addEndpoint(world.database, projectId, { delivery: 'every' });
      await world.baseLineEnds(projectId);
      await make({ projectId, ...product }, changes);
      for (const userId of users)
        await waitFor(
          async () => {
            const last = (await world.told(projectId, userId)).at(-1);
            const base = userId === 'u1' ? [{ feature_code: 'a' }] : [];
            const expected = await readNow(projectId, userId);
            const told = last === undefined ? base : statesOf(last);
            const read =
              last === undefined ? expected.map(({ feature_code }) => ({ feature_code })) : expected;
            return JSON.stringify(told) === JSON.stringify(read);
          },
          { what: `the last message about ${userId} to be what a read says`, timeoutMs: 8_000 },
        );
      await world.allTold();
      expect(await world.database.webhookMark.count()).toBe(0);
      for (const userId of users) expectChain(await world.told(projectId, userId));
    }),
    { numRuns: process.env['PROPERTY_RUNS'] === undefined ? 5 : 100, endOnFailure: true },
  );
}, 900_000);
