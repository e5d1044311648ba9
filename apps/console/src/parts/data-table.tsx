import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { Empty } from './states.tsx';

export type Column<Row> = { name: string; cell: (row: Row) => ReactNode; isNumber?: boolean };

type Props<Row> = {
  /** What the rows are, for who cannot see them. */
  name: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  empty?: ReactNode;
  /** Its texts are short: it is read on a narrow screen without scrolling. */
  isShort?: boolean;
};

/** Rows in columns; on a narrow screen it scrolls by itself. */
export function DataTable<Row>(props: Props<Row>) {
  const { name, columns, rows, keyOf, empty = 'Nothing here.', isShort = false } = props;
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  return (
    <div className={isShort ? 'scroll short' : 'scroll'} role="group" aria-label={name} tabIndex={0}>
      <Table highlightOnHover verticalSpacing={6} aria-label={name}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.name} className={column.isNumber === true ? 'number' : undefined}>
                {column.name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)}>
              {columns.map((column) => (
                <Table.Td key={column.name} className={column.isNumber === true ? 'number' : undefined}>
                  {column.cell(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
