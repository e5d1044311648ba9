import TinyQueue from 'tinyqueue';

import {
  nextDueOfInvoice,
  nextDueOfPayment,
  nextDueOfSession,
  nextDueOfSubscription,
  type Due,
} from './billing/due.ts';
import type { SubjectKind } from './state/store.ts';
import type { World } from './world.ts';

const longestTimerMs = 2 ** 31 - 1;

/** More than any object has to do in one second: beyond that it is stuck, and is left alone. */
const mostAtOnce = 20;

type Subject = { kind: SubjectKind; id: string };
type Entry = Subject & { at: number; order: number };

/** All that happens without a request, soonest first, kept up to date by table changes. */
export type Agenda = {
  /** An object changed: its next moment is looked up again. */
  touch(kind: Subject['kind'], id: string): void;
  /** Runs all that is due up to `until` in the order of time, each at its own time. */
  runUntil(until: number): void;
  /** Runs what real time has reached, and sets the timer for the next moment. */
  catchUp(): void;
  stop(): void;
};

function of<Row>(row: Row | undefined, next: (row: Row) => Due | null): Due | null {
  return row === undefined ? null : next(row);
}

function dueOf(world: World, { kind, id }: Subject): Due | null {
  const { sessions, subscriptions, paymentIntents, invoices } = world.tables;
  switch (kind) {
    case 'session':
      return of(sessions.get(id), nextDueOfSession);
    case 'payment':
      return of(paymentIntents.get(id), (row) => nextDueOfPayment(world, row));
    case 'invoice':
      return of(invoices.get(id), nextDueOfInvoice);
    case 'subscription':
      return of(subscriptions.get(id), (row) => nextDueOfSubscription(world, row));
  }
}

/** The moments that are planned. Of equal ones the first planned comes first. */
function createPlan(world: World) {
  const queue = new TinyQueue<Entry>([], (left, right) => left.at - right.at || left.order - right.order);
  const planned = new Map<string, number>();
  const changed = new Map<string, Subject>();
  let order = 0;

  function planChanged(): void {
    for (const [key, subject] of changed) {
      const due = dueOf(world, subject);
      if (due === null) planned.delete(key);
      else if (planned.get(key) !== due.at) {
        planned.set(key, due.at);
        order += 1;
        queue.push({ ...subject, at: due.at, order });
      }
    }
    changed.clear();
  }

  return {
    touch: (kind: Subject['kind'], id: string): void => {
      changed.set(`${kind} ${id}`, { kind, id });
    },
    nextAt: (): number | undefined => queue.peek()?.at,
    /** Takes the next entry that is due up to `until`. */
    take: (until: number): Entry | undefined => {
      planChanged();
      for (;;) {
        const first = queue.peek();
        if (first === undefined || first.at > until) return undefined;
        queue.pop();
        const key = `${first.kind} ${first.id}`;
        // Another moment is planned where the object has changed since.
        if (planned.get(key) !== first.at) continue;
        planned.delete(key);
        return first;
      }
    },
  };
}

export function createAgenda(world: World, afterRun: () => void): Agenda {
  const plan = createPlan(world);
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  function runUntil(until: number): void {
    let last = '';
    let repeats = 0;
    for (let entry = plan.take(until); entry !== undefined; entry = plan.take(until)) {
      const { kind, id, at } = entry;
      const key = `${kind} ${id} ${at}`;
      repeats = last === key ? repeats + 1 : 0;
      last = key;
      if (repeats > mostAtOnce) {
        world.logger.warn('agenda_stuck', { kind, id });
        continue;
      }
      const due = dueOf(world, entry);
      if (due?.at === at) world.clock.runAt(at, () => due.run(world));
      plan.touch(kind, id);
    }
  }

  function catchUp(): void {
    clearTimeout(timer);
    if (isStopped) return;
    runUntil(world.clock.now());
    const at = plan.nextAt();
    if (at === undefined) return;
    const inMs = Math.max(0, (at - world.clock.offset()) * 1000 - Date.now());
    const run = (): void => {
      catchUp();
      afterRun();
    };
    timer = setTimeout(run, Math.min(inMs, longestTimerMs));
    timer.unref();
  }

  return {
    touch: plan.touch,
    runUntil,
    catchUp,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
