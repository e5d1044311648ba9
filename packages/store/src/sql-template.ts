import { Prisma } from './generated/client.ts';

/** A statement that has its text already: joining it from its pieces takes longer than all else about it. */
class WrittenSql extends Prisma.Sql {
  readonly #text: string;
  constructor(strings: readonly string[], values: readonly unknown[], text: string) {
    super(strings, values);
    this.#text = text;
  }
  override get text(): string {
    return this.#text;
  }
}

export type SqlTemplate = (values: Readonly<Record<string, unknown>>) => Prisma.Sql;

/**
 * A statement whose text is made once: each `$name` in it stands for the value of that name, null where there is none. A
 * name may occur several times. Prepared statements are found by their text, so it must not depend on the values.
 */
export function sqlTemplate(template: string): SqlTemplate {
  const pieces = template.split(/\$([a-z_]+)/);
  const strings = pieces.filter((_piece, index) => index % 2 === 0);
  const names = pieces.filter((_piece, index) => index % 2 === 1);
  const text = strings.reduce((before, after, index) => `${before}$${index}${after}`);
  return (values) =>
    new WrittenSql(
      strings,
      names.map((name) => values[name] ?? null),
      text,
    );
}

/** Statements by the shape of what they are for, whose texts are made once. `toText`: a template by the shape. */
export function createTemplates<Shape extends object>(
  toText: (shape: Shape) => string,
): (shape: Shape) => SqlTemplate {
  const templates = new Map<string, SqlTemplate>();
  return (shape) => {
    const key = JSON.stringify(shape);
    const known = templates.get(key) ?? sqlTemplate(toText(shape));
    templates.set(key, known);
    return known;
  };
}
