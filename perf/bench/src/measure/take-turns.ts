import { shuffled } from './statistics.ts';

/** What one variant showed in one round. `cpuMicros`: of the server process, per request or event. */
export type Measured = { value: number; cpuMicros: number };

/** A competitor: the same task done in another way. */
export type Variant = { name: string; measure: () => Promise<Measured> };

export type Turns = Map<string, Measured[]>;

/**
 * Measures each variant once a round, in a new random order each time: what else the machine does then hits
 * all alike. The first round warms up and is not counted.
 */
export async function takeTurns(
  variants: readonly Variant[],
  rounds: number,
  onRound: (round: number) => void,
): Promise<Turns> {
  const turns: Turns = new Map(variants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, measure } of shuffled(variants)) {
      const measured = await measure();
      if (round > 0) turns.get(name)?.push(measured);
    }
    onRound(round);
  }
  return turns;
}
