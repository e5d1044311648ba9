import type { Shape, StripeObject } from './stripe-objects.ts';

/**
 * How the owner is known: our mapping of the customer, metadata alone, a mapping after all events, or as of a Payment Link:
 * metadata names the project, and the session's `client_reference_id` the user.
 */
export type Ownership = 'mapped' | 'metadata' | 'mapped_late' | 'linked';

/** An event of the story: its object as it is at that moment. `at`: Unix seconds of the story. */
type StoryEvent = { type: string; object: StripeObject; at: number };

type LifeOptions = { run: string; ownership: Ownership; shape: Shape };

export const projectId = 'life';
export const dayS = 86_400;
/** 2026-06-01, in Unix seconds. Stories last for months. */
const beginning = 1_780_272_000;

/**
 * One customer's life at Stripe: every event, and every object's state after each of them. Ids contain the run's
 * name, so that many lives share a database.
 */
export type Life = LifeOptions & {
  userId: string;
  customer: string;
  metadata: Record<string, string>;
  events: readonly StoryEvent[];
  newId: (prefix: string) => string;
  /** Stores an object at Stripe, as lookups render it: in the pinned API version. */
  put: (object: StripeObject) => void;
  /** Emits an event, with its object as events render it. */
  emit: (type: string, object: StripeObject) => void;
  /** Sets each object's `created` to that of its first event. `created`: of each event. */
  dateObjects: (created: readonly number[]) => void;
  /** Unix seconds of the story. */
  now: () => number;
  waitDays: (days: number) => void;
  ids: () => string[];
  /** The object after the event with this index; null: it does not exist yet. */
  objectAsOf: (id: string, index: number) => StripeObject | null;
  finalObjects: () => StripeObject[];
};

const metadataOf = (ownership: Ownership, userId: string): Record<string, string> => {
  if (ownership === 'metadata') return { user_id: userId, project_id: projectId };
  return ownership === 'linked' ? { project_id: projectId } : {};
};

export function createLife({ run, ownership, shape }: LifeOptions): Life {
  const events: StoryEvent[] = [];
  const versions = new Map<string, { since: number; object: StripeObject }[]>();
  const counts = new Map<string, number>();
  let now = beginning;
  const userId = `user_${run}`;
  const withReference = (object: StripeObject): StripeObject =>
    ownership === 'linked' && object.object === 'checkout.session'
      ? { ...object, client_reference_id: userId }
      : object;
  return {
    run,
    ownership,
    shape,
    userId,
    customer: `cus_${run}`,
    metadata: metadataOf(ownership, userId),
    events,
    newId: (prefix) => {
      const count = (counts.get(prefix) ?? 0) + 1;
      counts.set(prefix, count);
      return `${prefix}_${run}_${count}`;
    },
    put: (object) => {
      const known = versions.get(object.id) ?? [];
      versions.set(object.id, [...known, { since: events.length, object: withReference(object) }]);
    },
    emit: (type, object) => {
      events.push({ type, object: withReference(object), at: now });
    },
    dateObjects: (created) => {
      for (const [id, all] of versions) {
        const madeAt = created[Math.min(all[0]?.since ?? 0, created.length - 1)] ?? now;
        const dated = all.map(({ since, object }) => ({ since, object: { ...object, created: madeAt } }));
        versions.set(id, dated);
        for (const one of events) if (one.object.id === id) one.object = { ...one.object, created: madeAt };
      }
    },
    now: () => now,
    waitDays: (days) => {
      now += days * dayS;
    },
    ids: () => [...versions.keys()],
    objectAsOf: (id, index) =>
      (versions.get(id) ?? []).findLast(({ since }) => since <= index)?.object ?? null,
    finalObjects: () => [...versions.values()].flatMap((all) => all.at(-1)?.object ?? []),
  };
}
