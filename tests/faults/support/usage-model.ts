import { waitFor } from '@billing/testing';
import * as fc from 'fast-check';
import { z } from 'zod';
import { inQuick, seed, seenWithin } from './run-options.ts';
import { uniqueId } from './shop.ts';
import type { UsageClient } from './usage-client.ts';

type Taken = { id: string; body: object; quantity: number; overage: number };
type Held = { id: string; quantity: number };

/** What one user has and used, by the rules of one allowance that denies overage. */
type Model = { granted: number; used: number; overage: number; taken: Taken[]; held: Held[] };

type Real = {
  userId: string;
  clients: readonly UsageClient[];
  restart: (index: number) => Promise<unknown>;
  /** The greatest that each process told. */
  sequences: number[];
};

type Command = fc.AsyncCommand<Model, Real>;

const heldOf = ({ held }: Model): number => held.reduce((sum, one) => sum + one.quantity, 0);
const freeOf = (model: Model): number =>
  Math.max(0, model.granted - (model.used - model.overage) - heldOf(model));

const answer = z.object({
  usage_seq: z.number(),
  balance: z.object({ used: z.number(), overage: z.number(), held: z.number(), remaining: z.number() }),
});

const expected = (model: Model) => ({
  used: model.used,
  overage: model.overage,
  held: heldOf(model),
  remaining: freeOf(model),
});

const clientOf = ({ clients }: Real, by: number): UsageClient => {
  const client = clients[by];
  if (client === undefined) throw new Error(`There is no process ${by}.`);
  return client;
};

async function look(real: Real, by: number): Promise<object> {
  const { usage_seq: seq, balance } = answer.parse((await clientOf(real, by).check(real.userId)).body);
  if (seq < (real.sequences[by] ?? 0)) throw new Error(`The sequence fell to ${seq}.`);
  real.sequences[by] = seq;
  return balance;
}

/** The process that answered shows it at once, the other within a second. */
async function expectShown(model: Model, real: Real, by: number): Promise<void> {
  expect(await look(real, by)).toEqual(expected(model));
  await waitFor(
    async () => {
      expect(await look(real, 1 - by)).toEqual(expected(model));
      return true;
    },
    { what: 'the other process', timeoutMs: seenWithin(1_000), intervalMs: 10 },
  );
}

type Step = (model: Model, real: Real) => Promise<unknown>;

const command = (name: string, by: number, run: Step): Command => ({
  check: () => true,
  run: async (model, real) => {
    await run(model, real);
    await expectShown(model, real, by);
  },
  toString: () => `${name} by ${by}`,
});

function takes(model: Model, quantity: number): number {
  const overage = Math.max(0, quantity - freeOf(model));
  model.used += quantity;
  model.overage += overage;
  return overage;
}

const use = (by: number, quantity: number, mode: 'enforce' | 'record'): Command =>
  command(`${mode} ${quantity}`, by, async (model, real) => {
    const body = { user_id: real.userId, event_id: uniqueId('model'), quantity, mode };
    const isAllowed = quantity <= freeOf(model);
    const isRecorded = isAllowed || mode === 'record';
    const { body: said } = await clientOf(real, by).use(body);
    expect(said).toMatchObject({ recorded: isRecorded, allowed: isAllowed, duplicate: false, quantity });
    if (isRecorded) model.taken.push({ id: body.event_id, body, quantity, overage: takes(model, quantity) });
  });

/** Of a list, the one that a number names. */
const at = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];

const again = (by: number, which: number): Command =>
  command(`again ${which}`, by, async (model, real) => {
    const one = at(model.taken, which);
    if (one === undefined) return;
    const { body } = await clientOf(real, by).use(one.body);
    expect(body).toMatchObject({ recorded: true, duplicate: true });
    const conflict = await clientOf(real, by).use({ ...one.body, properties: { other: true } });
    expect(conflict.status).toBe(409);
  });

const correct = (by: number, which: number, quantity: number): Command =>
  command(`correct ${which} by ${quantity}`, by, async (model, real) => {
    const one = at(model.taken, which);
    if (one === undefined) return;
    const body = { user_id: real.userId, event_id: uniqueId('model'), quantity: -quantity, corrects: one.id };
    const { status } = await clientOf(real, by).use(body);
    expect(status).toBe(quantity > one.quantity ? 409 : 200);
    if (status !== 200) return;
    const overage = Math.min(one.overage, quantity);
    model.used -= quantity;
    model.overage -= overage;
    one.quantity -= quantity;
    one.overage -= overage;
  });

const reserve = (by: number, quantity: number): Command =>
  command(`reserve ${quantity}`, by, async (model, real) => {
    const id = uniqueId('model');
    const isHeld = quantity <= freeOf(model);
    const { body } = await clientOf(real, by).reserve({
      reservation_id: id,
      user_id: real.userId,
      quantity,
    });
    expect(body).toMatchObject({ state: isHeld ? 'held' : 'denied', allowed: isHeld });
    if (isHeld) model.held.push({ id, quantity });
  });

const end = (by: number, verb: 'confirm' | 'release', quantity: number): Command =>
  command(`${verb} ${quantity}`, by, async (model, real) => {
    const one = model.held.shift();
    if (one === undefined) return;
    const body = verb === 'confirm' ? { quantity } : {};
    for (let count = 0; count < 2; count += 1)
      expect((await clientOf(real, by).end(one.id, verb, body)).status).toBe(200);
    const other = verb === 'confirm' ? 'release' : 'confirm';
    expect((await clientOf(real, 1 - by).end(one.id, other)).status).toBe(409);
    if (verb === 'confirm') takes(model, quantity);
  });

const restart = (by: number): Command =>
  command('kill -9', 1 - by, async (_model, real) => {
    await real.restart(by);
    real.sequences[by] = 0;
  });

const by = fc.integer({ min: 0, max: 1 });
const quantity = fc.integer({ min: 1, max: 20 });
const which = fc.nat(20);

const commands = [
  fc.tuple(by, quantity, fc.constantFrom('enforce', 'record')).map((args) => use(...args)),
  fc.tuple(by, which).map((args) => again(...args)),
  fc.tuple(by, which, quantity).map((args) => correct(...args)),
  fc.tuple(by, quantity).map((args) => reserve(...args)),
  fc.tuple(by, fc.constantFrom('confirm', 'release'), quantity).map((args) => end(...args)),
  ...inQuick([], [by.map(restart)]),
];

type Given = {
  userWith: (amount: number) => Promise<string>;
  clients: readonly UsageClient[];
  restart: (index: number) => Promise<unknown>;
};

/** Runs random commands at two processes, and in a model beside them. */
export const followModel = ({ userWith, clients, restart: kill }: Given): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 25, size: 'max' }), (all) =>
      fc.asyncModelRun(async () => {
        const userId = await userWith(50);
        const model: Model = { granted: 50, used: 0, overage: 0, taken: [], held: [] };
        return { model, real: { userId, clients, restart: kill, sequences: [0, 0] } };
      }, all),
    ),
    { seed, numRuns: inQuick(4, 200), endOnFailure: inQuick(true, false) },
  );
