/** What a path has to reach, and what it reached. */
export type Goal = { path: string; figure: string; bound: string; isMet: boolean; reached: number };

type Figure = { path: string; figure: string; reached: number };

export const atLeast = ({ path, figure, reached }: Figure, bound: number): Goal => ({
  path,
  figure,
  bound: `≥ ${bound}`,
  isMet: reached >= bound,
  reached,
});

export const atMost = ({ path, figure, reached }: Figure, bound: number): Goal => ({
  path,
  figure,
  bound: `≤ ${bound}`,
  isMet: reached <= bound,
  reached,
});
