/** A line of a graph; `name`: of its values in the points. */
export type Series = { name: string; label: string; colour: string };
/** What a graph shows at one place of its axis. */
export type Point = { at: string } & Record<string, number | string | null>;
