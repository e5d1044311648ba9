import { waitFor } from '@billing/testing';
import * as fc from 'fast-check';
import { z } from 'zod';
import { inQuick, seed } from './run-options.ts';
import { uniqueId } from './shop.ts';
import type { UsageClient } from './usage-client.ts';
import { clientOf, command, freeOf, happens, isCovered, newModel, takes } from './usage-model.ts';
import type { Command, Offer, Real } from './usage-model.ts';

const use = (by: number, quantity: number, mode: 'enforce' | 'record'): Command =>
  command(`${mode} ${quantity}`, by, async (model, real) => {
    const body = { user_id: real.userId, event_id: uniqueId('model'), quantity, mode };
    const isAllowed = isCovered(model, quantity);
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

const isGrant = ({ offer }: Real): boolean => offer.kind === 'grant';

const reserve = (by: number, quantity: number): Command =>
  command(`reserve ${quantity}`, by, async (model, real) => {
    if (!isGrant(real)) return;
    const id = uniqueId('model');
    const isHeld = isCovered(model, quantity);
    const fields = { reservation_id: id, user_id: real.userId, quantity };
    const { body } = await clientOf(real, by).reserve(fields);
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

const stateOf = z.object({ state: z.string() });

type Expiry = { quantity: number; onExpiry: 'release' | 'charge'; late: number | null };

/** A reservation that expires by the clock, and may be confirmed after that. */
const expire = (by: number, { quantity, onExpiry, late }: Expiry): Command =>
  happens(
    `reserve ${quantity} until it expires (${onExpiry}), confirm ${late}`,
    isGrant,
    async (model, real) => {
      const id = uniqueId('model');
      const client = clientOf(real, by);
      const fields = { reservation_id: id, user_id: real.userId, quantity };
      const { body } = await client.reserve({ ...fields, expires_in_seconds: 1, on_expiry: onExpiry });
      if (stateOf.parse(body).state === 'denied') {
        expect(freeOf(model)).toBeLessThan(quantity);
        return;
      }
      const isOver = async (): Promise<boolean> =>
        stateOf.parse((await client.reservation(id)).body).state !== 'held';
      await waitFor(isOver, { what: 'the expiry', timeoutMs: 10_000, intervalMs: 50 });
      const ended = stateOf.parse((await clientOf(real, 1 - by).reservation(id)).body).state;
      expect(ended).toBe(onExpiry === 'charge' ? 'charged' : 'expired');
      if (late === null) return void (onExpiry === 'charge' && takes(model, quantity));
      const confirmed = await client.end(id, 'confirm', { quantity: late });
      expect([confirmed.status, confirmed.body]).toMatchObject([200, { state: 'confirmed', late: true }]);
      takes(model, late);
    },
  );

const told = z.object({
  recorded: z.boolean(),
  allowed: z.boolean(),
  balance: z.object({ remaining: z.number() }).nullable(),
});

/** What was given by hand is taken back while it is used: nothing more is allowed; then there is another grant. */
const revoke = (by: number): Command =>
  happens('revoke', isGrant, async (model, real) => {
    const { offer, userId } = real;
    if (offer.kind !== 'grant') return;
    for (const { id } of model.held.splice(0)) await clientOf(real, by).end(id, 'release');
    await offer.revoke();
    for (const client of real.clients.slice(0, 2)) {
      const { body } = await client.use({ user_id: userId, event_id: uniqueId('model') });
      const { recorded, allowed, balance } = told.parse(body);
      expect([recorded, allowed, Math.max(0, balance?.remaining ?? 0)]).toEqual([false, false, 0]);
    }
    Object.assign(model, newModel(await offer.grantAgain()));
  });

/** An upgrade or a downgrade, also below what was used: the bucket stays, and what was used in it. */
const resize = (quantity: number): Command =>
  happens(
    `resize to ${quantity}`,
    ({ offer }) => offer.kind === 'subscription',
    async (model, { offer }) => {
      if (offer.kind === 'subscription') model.granted = await offer.resize(quantity);
    },
  );

const restart = (by: number): Command =>
  command('kill -9', 1 - by, async (_model, real) => {
    await real.restart(by);
    real.sequences[by] = 0;
  });

const by = fc.integer({ min: 0, max: 1 });
const quantity = fc.integer({ min: 1, max: 20 });
const which = fc.nat(20);
const expiry = fc.record({
  quantity,
  onExpiry: fc.constantFrom('release', 'charge'),
  late: fc.option(fc.integer({ min: 0, max: 25 })),
});

const commands = [
  fc.tuple(by, quantity, fc.constantFrom('enforce', 'record')).map((args) => use(...args)),
  fc.tuple(by, quantity).map(([process, much]) => use(process, much, 'enforce')),
  fc.tuple(by, which).map((args) => again(...args)),
  fc.tuple(by, which, quantity).map((args) => correct(...args)),
  fc.tuple(by, quantity).map((args) => reserve(...args)),
  fc.tuple(by, fc.constantFrom('confirm', 'release'), quantity).map((args) => end(...args)),
  fc.tuple(by, expiry).map((args) => expire(...args)),
  by.map(revoke),
  fc.integer({ min: 1, max: 3 }).map(resize),
  ...inQuick([], [by.map(restart)]),
];

export type Given = {
  /** A new user, with what the user has at first. */
  offers: readonly (() => Promise<{ userId: string; offer: Offer; granted: number; overageLimit: number }>)[];
  clients: readonly UsageClient[];
  restart: (index: number) => Promise<unknown>;
};

/** Runs random commands at two processes, and in a model beside them. */
export async function followModel({ offers, clients, restart: kill }: Given): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(
    fc.nat(offers.length - 1),
    fc.commands(commands, { maxCommands: 25, size: 'max' }),
    (index, all) => {
      last = fc.asyncModelRun(async () => {
        const made = await offers[index]?.();
        if (made === undefined) throw new Error(`There is no offer ${index}.`);
        const { userId, offer, granted, overageLimit } = made;
        const real = { userId, offer, clients, restart: kill, sequences: [0, 0] };
        return { model: newModel(granted, overageLimit), real };
      }, all);
      return last;
    },
  );
  await fc.assert(property, {
    seed,
    numRuns: inQuick(6, 200),
    endOnFailure: inQuick(true, false),
    interruptAfterTimeLimit: inQuick(60_000, 600_000),
  });
  // The time limit ends the test, and not the commands that are under way: a process may be killed and not started again.
  await last;
}
