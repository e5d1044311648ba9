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
};

/**
 * Rows in columns. On a narrow screen the cells of a row stand below each other, each beside the name of its column (`console.css`);
 * the roles keep it a table then too.
 */
export function DataTable<Row>(props: Props<Row>) {
  const { name, columns, rows, keyOf, empty = 'Nothing here.' } = props;
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  const classOf = ({ isNumber }: Column<Row>) => (isNumber === true ? 'number' : undefined);
  return (
    <div className="scroll" role="group" aria-label={name} tabIndex={0}>
      <Table highlightOnHover verticalSpacing={6} className="row-table" role="table" aria-label={name}>
        <Table.Thead role="rowgroup">
          <Table.Tr role="row">
            {columns.map((column) => (
              <Table.Th key={column.name} role="columnheader" className={classOf(column)}>
                {column.name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody role="rowgroup">
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)} role="row">
              {columns.map((column) => (
                <Table.Td key={column.name} role="cell" data-label={column.name} className={classOf(column)}>
                  <div className="cell">{column.cell(row)}</div>
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
