const outagePauseMs = { least: 500, most: 15_000 };
const ownPauseMs = { least: 1_000, most: 3_600_000 };

const jittered = (ms: number): number => Math.round(ms * (0.5 + Math.random() / 2));

const grown = ({ least, most }: { least: number; most: number }, tries: number): number =>
  jittered(Math.min(most, least * 2 ** Math.min(tries, 20)));

/** While a dependency is away: short, as it may be back any moment, and never more than 15 s. */
export const pauseInOutageMs = (tries: number): number => grown(outagePauseMs, tries);

/** After a failure of the event's own: grows up to an hour. */
export const pauseAfterFailureMs = (failures: number): number => grown(ownPauseMs, failures);

/** A job that another version of the worker may know. */
export const pauseForOthersMs = (): number => jittered(10_000);
