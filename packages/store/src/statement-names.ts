import { createHash } from 'node:crypto';

/** How many unnamed texts are counted at a time. */
const maxCounted = 1_000;
const usesBeforeName = 3;

export type NamedStatement = { name: string; text: string };

export type StatementNames = {
  /** The name of a statement; empty: in Postgres's protocol one without a name is not kept. */
  nameOf: (sql: string) => string;
  /** What has a name by now: a new connection prepares it before it is used. */
  named: () => NamedStatement[];
};

/** The same text has the same name in every process and version, and no two texts share one. */
const digestOf = (sql: string): string =>
  `billing_${createHash('sha256').update(sql).digest('base64url').slice(0, 27)}`;

/**
 * Names for statements that are used again and again: node-postgres prepares a named statement once per
 * connection and from then on sends its name and values only. A name is a digest of its text: where a pooler gives the
 * sessions of one process to another, a name still means the same statement. Statements of varying text (lists of columns
 * or conditions) rarely reach the third use and stay unnamed; no more than `max` names exist, because each costs
 * memory on every connection of the server.
 */
export function createStatementNames({ max = 200 }: { max?: number } = {}): StatementNames {
  const names = new Map<string, string>();
  const uses = new Map<string, number>();
  function nameOf(sql: string): string {
    const name = names.get(sql);
    if (name !== undefined) return name;
    if (names.size >= max) return '';
    const used = (uses.get(sql) ?? 0) + 1;
    if (used < usesBeforeName) {
      if (uses.size >= maxCounted) uses.clear();
      uses.set(sql, used);
      return '';
    }
    uses.delete(sql);
    const newName = digestOf(sql);
    names.set(sql, newName);
    return newName;
  }
  return { nameOf, named: () => Array.from(names, ([text, name]) => ({ name, text })) };
}
