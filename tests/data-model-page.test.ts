import { readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name);

const page = read('docs/data-model.md');
const schema = read('prisma/schema.prisma');

/** Columns by table, in the database's names. */
function columnsOf(model: string): { table: string; columns: string[] } {
  const [table = ''] = all(model, /@@map\("(\w+)"\)/g);
  const fields = [...model.matchAll(/^ {2}(\w+) +\w+(?:\[\])?\??(.*)$/gm)];
  const columns = fields.map(([, name = '', rest = '']) => /@map\("(\w+)"\)/.exec(rest)?.[1] ?? name);
  return { table, columns };
}

const models = all(schema, /^model (\w+ \{[\s\S]*?^\})/gm).map(columnsOf);

test('every table is in one group, and no group has another', () => {
  const [, groups = ''] = /^## \w+ groups\n([\s\S]*?)^- /m.exec(page) ?? [];
  const cells = all(groups, /^\| (`.*?) \| /gm);
  // The assignments of `object_owners` are written by others than the rest.
  const named = cells.flatMap((cell) => all(cell, /`(\w+)`/g)).filter((name) => name !== 'object_owners');
  const tables = models.map(({ table }) => table).filter((name) => name !== 'object_owners');
  expect(named.toSorted()).toEqual(tables.toSorted());
});

test('the diagram shows every table, and no column that does not exist', () => {
  const diagram = [...page.matchAll(/^ {2}(\w+) \{\n([\s\S]*?)^ {2}\}/gm)];
  const names = new Set(diagram.map(([, table]) => table));
  expect(names).toEqual(new Set(models.map(({ table }) => table)));
  for (const [, table = '', body = ''] of diagram) {
    const known = models.find((model) => model.table === table)?.columns;
    for (const column of all(body, /^ {4}\w+ (\w+)/gm)) expect(known).toContain(column);
  }
});
