import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { isRow } from './table.ts';

const flushAfterMs = 50;
const rowsPerLine = 500;

type Change = [table: string, id: string, row: object | null];
const batch = z.array(z.tuple([z.string(), z.string(), z.custom<object>(isRow).nullable()]));

/** A file of batches, one JSON line each; a line that a crash cut off is ignored. */
export type Journal = {
  /** Kept a moment later, with what changes until then. */
  record(table: string, id: string, row: object | null): void;
  /** Keeps all that was recorded, before it returns: a process that is killed after that has lost none of it. */
  flush(): void;
};

function fileIn(stateDir: string): string {
  return join(stateDir, 'journal.ndjson');
}

function parseLine(line: string): z.infer<typeof batch> {
  try {
    return batch.parse(JSON.parse(line));
  } catch {
    return [];
  }
}

/** The newest row of every id, in the order in which the ids first appeared. */
export function readJournal(stateDir: string): Change[] {
  let content: string;
  try {
    content = readFileSync(fileIn(stateDir), 'utf8');
  } catch {
    return [];
  }
  const rows = new Map<string, Change>();
  for (const line of content.split('\n')) {
    if (line === '') continue;
    for (const [table, id, row] of parseLine(line)) {
      if (row === null) rows.delete(`${table} ${id}`);
      else rows.set(`${table} ${id}`, [table, id, row]);
    }
  }
  return [...rows.values()];
}

/** Rewrites the file with the given rows alone (temporary file, then rename), and appends from there. */
export function openJournal(stateDir: string, rows: Change[]): Journal {
  mkdirSync(stateDir, { recursive: true });
  const file = fileIn(stateDir);
  const lines: string[] = [];
  for (let at = 0; at < rows.length; at += rowsPerLine)
    lines.push(`${JSON.stringify(rows.slice(at, at + rowsPerLine))}\n`);
  writeFileSync(`${file}.new`, lines.join(''));
  renameSync(`${file}.new`, file);

  let waiting = new Map<string, Change>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size === 0) return;
    const line = `${JSON.stringify([...waiting.values()])}\n`;
    waiting = new Map();
    appendFileSync(file, line);
  }

  return {
    record: (table, id, row) => {
      waiting.set(`${table} ${id}`, [table, id, row]);
      timer ??= setTimeout(flush, flushAfterMs);
    },
    flush,
  };
}
