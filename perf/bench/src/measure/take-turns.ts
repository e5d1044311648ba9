import type { Cpu } from './cpu-time.ts';
import { shuffled } from './statistics.ts';

/** What one variant showed in one round: its rate, and the CPU of each process per request or event. */
export type Measured = { value: number; cpu: Cpu };

/** One of several ways to do the same task. */
export type Variant<T = Measured> = { name: string; measure: () => Promise<T> };

/** The results of each variant, in the order of the rounds. */
export type Turns<T = Measured> = Map<string, T[]>;

type Rounds = { title: string; rounds: number; say: (line: string) => void };

/** Runs `measure` once a round. */
export async function inRounds<T>({ title, rounds, say }: Rounds, measure: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    results.push(await measure());
    say(`${title}: round ${round} of ${rounds}`);
  }
  return results;
}

/**
 * Measures each variant once a round, in a new random order each time, so that what else the machine does affects
 * all alike. They have to be warm.
 */
export async function takeTurns<T>(variants: readonly Variant<T>[], rounds: Rounds): Promise<Turns<T>> {
  const results = await inRounds(rounds, async () => {
    const measured = new Map<string, T[]>();
    for (const { name, measure } of shuffled(variants)) measured.set(name, [await measure()]);
    return measured;
  });
  return new Map(variants.map(({ name }) => [name, results.flatMap((round) => round.get(name) ?? [])]));
}
