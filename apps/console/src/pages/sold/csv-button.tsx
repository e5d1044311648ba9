import { Button, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { call } from '../../api/call.ts';
import type { Query } from '../../api/address.ts';
import type { Page } from '../../api/reads.ts';
import { saveFile } from '../../parts/save-file.ts';
import { toCsv } from './to-csv.ts';
import type { CsvColumn } from './to-csv.ts';

type Props<Row> = { name: string; path: string; query: Query; columns: readonly CsvColumn<Row>[] };

/** Reads all pages, until it is stopped. */
async function readAll<Row>(
  { path, query }: Props<Row>,
  onRows: (count: number) => void,
  signal: AbortSignal,
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Page<Row> = await call({ path, query: { ...query, limit: 100, cursor }, signal });
    rows.push(...page.data);
    onRows(rows.length);
    cursor = page.next_cursor;
  }
  return rows;
}

/** Saves all rows that the filters show, not only those of the page. It says how far it is, and can be stopped. */
export function CsvButton<Row>(props: Props<Row>) {
  const [state, setState] = useState('');
  const running = useRef<AbortController | null>(null);
  async function start(): Promise<void> {
    const stop = new AbortController();
    running.current = stop;
    try {
      const rows = await readAll(
        props,
        (count) => setState(`${count.toLocaleString()} rows so far`),
        stop.signal,
      );
      saveFile(toCsv(rows, props.columns), { name: props.name, ending: 'csv', type: 'text/csv' });
      setState(`Saved ${rows.length.toLocaleString()} rows`);
    } catch (error) {
      setState(
        stop.signal.aborted ? 'Stopped' : `Failed: ${error instanceof Error ? error.message : 'unknown'}`,
      );
    } finally {
      running.current = null;
    }
  }
  const isRunning = state.endsWith('so far');
  return (
    <div>
      <Button
        variant="default"
        onClick={() => {
          if (running.current === null) void start();
          else running.current.abort();
        }}
      >
        {isRunning ? 'Stop' : 'Save as CSV'}
      </Button>
      <Text size="sm" role="status">
        {state}
      </Text>
    </div>
  );
}
