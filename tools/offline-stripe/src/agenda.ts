import { nextDueOfSession, nextDueOfSubscription, type Due } from './billing/due.ts';
import type { World } from './world.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** More things than any object has to do in one second: beyond that it is stuck, and left alone. */
const MOST_AT_ONCE = 20;

interface Entry {
  at: number;
  order: number;
  kind: 'subscription' | 'session';
  id: string;
}

/** All that will happen by itself, soonest first, kept up to date by table changes. */
export interface Agenda {
  /** An object changed: its next moment is looked up again. */
  touch(kind: 'subscription' | 'session', id: string): void;
  /** Everything due up to `until` happens in the order of time, each at its own time. */
  runUntil(until: number): void;
  /** Runs what real time has reached, and sets the timer for the next moment. */
  catchUp(): void;
  stop(): void;
}

function isBefore(left: Entry | undefined, right: Entry | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

function swap(heap: Entry[], left: number, right: number): void {
  const [a, b] = [heap[left], heap[right]];
  if (a === undefined || b === undefined) return;
  heap[left] = b;
  heap[right] = a;
}

function push(heap: Entry[], entry: Entry): void {
  heap.push(entry);
  let index = heap.length - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(heap[index], heap[parent])) return;
    swap(heap, index, parent);
    index = parent;
  }
}

function pop(heap: Entry[]): Entry | undefined {
  swap(heap, 0, heap.length - 1);
  const first = heap.pop();
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const least = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
    if (!isBefore(heap[least], heap[index])) return first;
    swap(heap, index, least);
    index = least;
  }
}

export function createAgenda(world: World, afterRun: () => void): Agenda {
  const heap: Entry[] = [];
  const planned = new Map<string, number>();
  let order = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const changed = new Map<string, Pick<Entry, 'kind' | 'id'>>();

  function dueOf(entry: Pick<Entry, 'kind' | 'id'>): Due | null {
    if (entry.kind === 'session') {
      const session = world.tables.sessions.get(entry.id);
      return session === undefined ? null : nextDueOfSession(session);
    }
    const subscription = world.tables.subscriptions.get(entry.id);
    return subscription === undefined ? null : nextDueOfSubscription(world, subscription);
  }

  function planChanged(): void {
    for (const [key, entry] of changed) {
      const due = dueOf(entry);
      if (due === null) planned.delete(key);
      else if (planned.get(key) !== due.at) {
        planned.set(key, due.at);
        order += 1;
        push(heap, { ...entry, at: due.at, order });
      }
    }
    changed.clear();
  }

  function runUntil(until: number): void {
    let last = '';
    let repeats = 0;
    for (;;) {
      planChanged();
      const first = heap[0];
      if (first === undefined || first.at > until) return;
      pop(heap);
      const key = `${first.kind} ${first.id}`;
      // An entry that is not the planned one any more was replaced when its object changed.
      if (planned.get(key) !== first.at) continue;
      planned.delete(key);
      repeats = last === `${key} ${first.at}` ? repeats + 1 : 0;
      last = `${key} ${first.at}`;
      if (repeats > MOST_AT_ONCE) {
        world.logger.warn('agenda_stuck', { kind: first.kind, id: first.id });
        continue;
      }
      const due = dueOf(first);
      if (due?.at === first.at) world.clock.runAt(due.at, () => due.run(world));
      changed.set(key, { kind: first.kind, id: first.id });
    }
  }

  function catchUp(): void {
    clearTimeout(timer);
    if (isStopped) return;
    runUntil(world.clock.now());
    const next = heap[0];
    if (next !== undefined) {
      const inMs = Math.max(0, (next.at - world.clock.offset()) * 1000 - Date.now());
      timer = setTimeout(
        () => {
          catchUp();
          afterRun();
        },
        Math.min(inMs, LONGEST_TIMER_MS),
      );
      timer.unref();
    }
  }

  return {
    touch: (kind, id) => {
      changed.set(`${kind} ${id}`, { kind, id });
    },
    runUntil,
    catchUp,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
