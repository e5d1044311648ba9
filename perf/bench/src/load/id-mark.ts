/** Stands in a body for an id of its own. */
export const idMark = '__ID__';
