/**
 * Around what the first statement of a transaction answers: the statements after it read no table from end to end. A connection
 * keeps its plans, and one that was made while next to nothing waited would read all that waits later, for each user anew.
 */
export const thenByIndex = (answer: string): string =>
  `CASE WHEN set_config('enable_seqscan', 'off', true) IS NOT NULL THEN ${answer} END`;

/**
 * Whether the delivery `d` waits, where it is found by its id: said in a way that keeps indexes of what waits out of it. Among
 * nothing they look as good as the id's.
 */
export const stillPending = (alias: string): string => `${alias}.status || '' = 'pending'`;
