import { waitFor } from '@billing/testing';
import type { AsyncCommand } from 'fast-check';
import { z } from 'zod';
import { seenWithin } from './run-options.ts';
import type { UsageClient } from './usage-client.ts';

type Taken = { id: string; body: object; quantity: number; overage: number };
type Held = { id: string; quantity: number };

/** What one user has and used, by the rules of one allowance. */
export type Model = {
  granted: number;
  /** 0: overage is denied. */
  overageLimit: number;
  used: number;
  overage: number;
  taken: Taken[];
  held: Held[];
};

export const newModel = (granted: number, overageLimit = 0): Model => ({
  granted,
  overageLimit,
  used: 0,
  overage: 0,
  taken: [],
  held: [],
});

/** What changes how much a user has. */
export type Offer =
  | { kind: 'grant'; revoke: () => Promise<unknown>; grantAgain: () => Promise<number> }
  | { kind: 'subscription'; resize: (quantity: number) => Promise<number> };

export type Real = {
  userId: string;
  offer: Offer;
  clients: readonly UsageClient[];
  restart: (index: number) => Promise<unknown>;
  /** The greatest that each process told. */
  sequences: number[];
};

export type Command = AsyncCommand<Model, Real>;

export const heldOf = ({ held }: Model): number => held.reduce((sum, one) => sum + one.quantity, 0);

export const freeOf = (model: Model): number =>
  Math.max(0, model.granted - (model.used - model.overage) - heldOf(model));

/** Used and held are never beyond what is granted and the limit of overage, also after a downgrade. */
export const roomOf = (model: Model): number =>
  Math.max(0, model.overageLimit - Math.max(model.overage, model.used + heldOf(model) - model.granted, 0));

export const isCovered = (model: Model, quantity: number): boolean =>
  quantity <= freeOf(model) + (model.overageLimit === 0 ? 0 : roomOf(model));

/** Takes whatever it is; returns what was overage. */
export function takes(model: Model, quantity: number): number {
  const overage = Math.max(0, quantity - freeOf(model));
  model.used += quantity;
  model.overage += overage;
  return overage;
}

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

export const clientOf = ({ clients }: Pick<Real, 'clients'>, by: number): UsageClient => {
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

/** A process shows it within a second. */
export const expectSoon = (model: Model, real: Real, by: number): Promise<unknown> =>
  waitFor(
    async () => {
      expect(await look(real, by)).toEqual(expected(model));
      return true;
    },
    { what: `process ${by}`, timeoutMs: seenWithin(1_000), intervalMs: 10 },
  );

/** The process that answered shows it at once, the other within a second. */
async function expectShown(model: Model, real: Real, by: number): Promise<void> {
  expect(await look(real, by)).toEqual(expected(model));
  await expectSoon(model, real, 1 - by);
}

type Step = (model: Model, real: Real) => Promise<unknown>;

/** What one process is asked. */
export const command = (name: string, by: number, run: Step): Command => ({
  check: () => true,
  run: async (model, real) => {
    await run(model, real);
    await expectShown(model, real, by);
  },
  toString: () => `${name} by ${by}`,
});

/** What happens elsewhere, or by itself: `run` waits for it, then all show it. */
export const happens = (name: string, isPossible: (real: Real) => boolean, run: Step): Command => ({
  check: () => true,
  run: async (model, real) => {
    if (!isPossible(real)) return;
    await run(model, real);
    for (const by of [0, 1]) await expectSoon(model, real, by);
  },
  toString: () => name,
});
