import { Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { List } from '../api/reads.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { Failure, Loading } from './states.tsx';

type Props<Row> = {
  name: string;
  list: List<Row>;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  empty?: ReactNode;
};

/** That there is nothing is said already, unless more may come. */
function countWords(count: number, hasMore: boolean): string {
  if (hasMore) return `${count.toLocaleString('en')} so far`;
  if (count === 0) return '';
  return `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`;
}

/** A list that is read page by page. */
export function ListTable<Row>({ name, list, columns, keyOf, empty }: Props<Row>) {
  const failure = list.error === null ? null : <Failure error={list.error} retry={list.refresh} />;
  if (list.rows === undefined) return failure ?? <Loading />;
  return (
    <>
      {failure}
      <DataTable name={name} columns={columns} rows={list.rows} keyOf={keyOf} empty={empty} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {countWords(list.rows.length, list.hasMore)}
        </Text>
        <Group gap="xs">
          {list.isStill ? (
            <Button variant="subtle" size="xs" onClick={list.refresh} aria-busy={list.isFetching}>
              Refresh the list
            </Button>
          ) : null}
          {list.hasMore ? (
            <Button variant="default" size="xs" onClick={list.readMore} aria-busy={list.isReadingMore}>
              {list.isReadingMore ? 'Reading …' : 'Show more'}
            </Button>
          ) : null}
        </Group>
      </Group>
    </>
  );
}
