import type { Shape, StripeObject } from './stripe-objects.ts';

/** Who owns what is bought: our mapping of the customer, metadata alone, or a mapping that comes last. */
export type Ownership = 'mapped' | 'metadata' | 'mapped_late';

/** Something that Stripe tells: the object as it is at that moment, in seconds of the story. */
export type Told = { type: string; object: StripeObject; at: number };

/** Which project, user and customer, and how events are rendered. */
export type LifeParts = { run: string; ownership: Ownership; shape: Shape };

export const projectId = 'life';
export const dayS = 86_400;
/** 2026-06-01; stories tell of months. */
export const beginning = 1_780_272_000;

export type Life = ReturnType<typeof createLife>;

/**
 * One customer's life at Stripe: every event told, and every object's state after each of them. Ids are the
 * run's own, so that many lives share a database.
 */
export function createLife({ run, ownership, shape }: LifeParts) {
  const told: Told[] = [];
  const versions = new Map<string, { since: number; object: StripeObject }[]>();
  const counts = new Map<string, number>();
  let now = beginning;

  function newId(prefix: string): string {
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    return `${prefix}_${run}_${count}`;
  }

  /** Stripe has it from now on; rendered as the pinned version, as reads are. */
  function put(object: StripeObject): void {
    const known = versions.get(object.id) ?? [];
    versions.set(object.id, [...known, { since: told.length, object }]);
  }

  const userId = `user_${run}`;
  return {
    run,
    ownership,
    shape,
    userId,
    customer: `cus_${run}`,
    metadata: ownership === 'metadata' ? { user_id: userId, project_id: projectId } : {},
    told,
    newId,
    put,
    /** Stripe tells an event about an object; what reads answer was said with `put`. */
    tell: (type: string, object: StripeObject): void => {
      told.push({ type, object, at: now });
    },
    /** Dates everything that was made by the event that told of it first; `created` of each event. */
    date: (created: readonly number[]): void => {
      for (const [id, all] of versions) {
        const madeAt = created[Math.min(all[0]?.since ?? 0, created.length - 1)] ?? now;
        const dated = all.map(({ since, object }) => ({ since, object: { ...object, created: madeAt } }));
        versions.set(id, dated);
        for (const one of told) if (one.object.id === id) one.object = { ...one.object, created: madeAt };
      }
    },
    now: () => now,
    waitDays: (days: number): void => {
      now += days * dayS;
    },
    ids: () => [...versions.keys()],
    /** The object once the event with this index had happened; null: not made yet. */
    objectAsOf: (id: string, index: number): StripeObject | null =>
      (versions.get(id) ?? []).findLast(({ since }) => since <= index)?.object ?? null,
    final: (): StripeObject[] => [...versions.values()].flatMap((all) => all.at(-1)?.object ?? []),
  };
}
