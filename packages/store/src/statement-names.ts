/** How many unnamed texts are counted at a time. */
const maxCounted = 1_000;
const usesBeforeName = 3;

/**
 * Names for statements that are used again and again: node-postgres prepares a named statement once per
 * connection and from then on sends its name and values only. Statements of varying text (lists of columns or
 * conditions) rarely reach the third use and stay unnamed; no more than `max` names exist, because each costs
 * memory on every connection of the server.
 */
export function createStatementNames({ max = 200 }: { max?: number } = {}): (sql: string) => string {
  const names = new Map<string, string>();
  const uses = new Map<string, number>();
  return (sql) => {
    const name = names.get(sql);
    if (name !== undefined) return name;
    // In Postgres's protocol a statement without a name is not kept.
    if (names.size >= max) return '';
    const used = (uses.get(sql) ?? 0) + 1;
    if (used < usesBeforeName) {
      if (uses.size >= maxCounted) uses.clear();
      uses.set(sql, used);
      return '';
    }
    uses.delete(sql);
    const newName = `billing_${names.size + 1}`;
    names.set(sql, newName);
    return newName;
  };
}
