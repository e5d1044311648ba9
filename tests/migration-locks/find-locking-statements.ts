/** A statement of a migration that locks an existing table for as long as it takes to read or write all of it. */
export type LockingStatement = { statement: string; instead: string };

type Rule = { pattern: RegExp; unless?: RegExp; instead: string };

const onlineIndex = 'CREATE INDEX CONCURRENTLY, alone in its migration';

/** Of statements on tables that the migration itself did not create. The first group, where there is one, is the table. */
const statementRules: readonly Rule[] = [
  {
    pattern: /^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY).*? ON (?:ONLY )?(\S+?)(?: |\()/,
    instead: onlineIndex,
  },
  { pattern: /^DROP INDEX (?!CONCURRENTLY)/, instead: 'DROP INDEX CONCURRENTLY, alone in its migration' },
  { pattern: /^REINDEX (?!.*CONCURRENTLY)/, instead: 'REINDEX … CONCURRENTLY, alone in its migration' },
  { pattern: /^REFRESH MATERIALIZED VIEW (?!CONCURRENTLY)/, instead: 'REFRESH … CONCURRENTLY' },
  { pattern: /^(?:CLUSTER|VACUUM \(?FULL|LOCK)\b/, instead: 'nothing: it stops everybody' },
  { pattern: /^TRUNCATE (?:TABLE )?(\S+)/, instead: 'rows deleted in batches by the worker' },
  {
    pattern: /^UPDATE (?:ONLY )?(\S+) /,
    unless: / WHERE /,
    instead: 'rows changed in batches by the worker',
  },
  {
    pattern: /^DELETE FROM (?:ONLY )?(\S+)/,
    unless: / WHERE /,
    instead: 'rows deleted in batches by the worker',
  },
];

const notValid = 'ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in a later migration';
const inTwoSteps = 'a column without it, and then an index or constraint online';

/** Of one action of `ALTER TABLE`. */
const actionRules: readonly Rule[] = [
  {
    pattern: /^ALTER (?:COLUMN )?\S+ SET NOT NULL/,
    instead: 'ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, and VALIDATE CONSTRAINT in a later migration',
  },
  { pattern: /^ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE /, instead: 'a new column' },
  { pattern: /^ADD (?:CONSTRAINT \S+ )?(?:CHECK|FOREIGN KEY)\b/, unless: / NOT VALID$/, instead: notValid },
  {
    pattern: /^ADD (?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY|EXCLUDE)\b/,
    unless: / USING INDEX /,
    instead: `${onlineIndex}, and ADD CONSTRAINT … USING INDEX`,
  },
  {
    pattern:
      /^ADD (?!CONSTRAINT |CHECK\b|FOREIGN |UNIQUE|PRIMARY |EXCLUDE).* (?:REFERENCES|CHECK|UNIQUE|PRIMARY KEY)\b/,
    instead: inTwoSteps,
  },
  {
    pattern:
      /^ADD (?!CONSTRAINT |CHECK\b|FOREIGN |UNIQUE|PRIMARY |EXCLUDE).* (?:GENERATED|(?:SMALL|BIG)?SERIAL)\b/,
    instead: 'a column that the service fills',
  },
  {
    pattern: /^ADD (?!CONSTRAINT |CHECK\b|FOREIGN |UNIQUE|PRIMARY |EXCLUDE).* DEFAULT .*\w\s*\(/,
    unless: / DEFAULT (?:NOW|CURRENT_TIMESTAMP|TRANSACTION_TIMESTAMP)\s*\([^()]*\)(?!.*\w\s*\()/,
    instead: 'a constant default: Postgres computes any other for each row',
  },
  {
    pattern: /^ADD (?!CONSTRAINT |CHECK\b|FOREIGN |UNIQUE|PRIMARY |EXCLUDE).* NOT NULL\b/,
    unless: / DEFAULT /,
    instead: 'NOT NULL with a default',
  },
  { pattern: /^SET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b/, instead: 'a new table' },
];

const validateInLater =
  'VALIDATE CONSTRAINT in a migration of its own: here it runs under the locks of the others';

/** The parts of a list that is separated by `separator` outside of parentheses. */
function splitTop(text: string, separator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of text) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (letter === separator && depth === 0) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${letter}`);
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** In capitals, without comments and what strings hold. What a `DO` block runs counts; the bodies of functions do not. */
function statementsOf(sql: string): string[] {
  const plain = sql
    .replaceAll(/--.*$|\/\*[\s\S]*?\*\//gm, ' ')
    .replaceAll(/\bDO\s+(\$\w*\$)([\s\S]*?)\1/gi, ' $2 ')
    .replaceAll(/(\$\w*\$)[\s\S]*?\1/g, "''")
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll('"', '')
    .replaceAll(/\s+/g, ' ')
    .toUpperCase()
    .replaceAll('PUBLIC.', '');
  return splitTop(plain, ';').map((one) => one.replace(/^(?:BEGIN|THEN|ELSE|LOOP|DECLARE) /, ''));
}

const breaks = ({ pattern, unless }: Rule, text: string): boolean =>
  pattern.test(text) && unless?.test(text) !== true;

/** The statements of a migration that lock an existing table for long, with what to write in their place. */
export function findLockingStatements(sql: string): LockingStatement[] {
  const statements = statementsOf(sql);
  const isNew = (table: string | undefined): boolean =>
    table !== undefined &&
    statements.some((one) =>
      new RegExp(
        `^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?${table.replaceAll(/\W/g, String.raw`\$&`)}\\b`,
      ).test(one),
    );
  return statements.flatMap((statement) => {
    const altered = /^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\S+) (.*)$/.exec(statement);
    const texts = altered === null ? [statement] : splitTop(altered[2] ?? '', ',');
    const rules = altered === null ? statementRules : actionRules;
    const found = texts.flatMap((text) =>
      rules.filter((rule) => breaks(rule, text) && !isNew(altered?.[1] ?? rule.pattern.exec(text)?.[1])),
    );
    const isLateEnough = statements.length === 1 || !/ VALIDATE CONSTRAINT /.test(statement);
    return [...found.map(({ instead }) => instead), ...(isLateEnough ? [] : [validateInLater])].map(
      (instead) => ({ statement, instead }),
    );
  });
}
