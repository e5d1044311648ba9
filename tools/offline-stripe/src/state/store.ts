import { z } from 'zod';

import { openJournal, readJournal } from './journal.ts';
import type { Settings } from './private-rows.ts';
import { createTables, type Tables } from './tables.ts';

/** What may do something without a request. */
export type SubjectKind = 'subscription' | 'session' | 'payment' | 'invoice';
type Touch = (kind: SubjectKind, id: string) => void;

/** The tables, their file, and a notice of every change that may move a due moment. */
export type Store = {
  tables: Tables;
  settings: () => Settings;
  changeSettings: (patch: Partial<Settings>) => void;
  /** Runs something and takes back all that it changed: nothing is recorded, delivered or planned. */
  rehearse<T>(run: () => T): T;
  /** Called with every object that changed and may do something by itself, and at once with those already there. */
  onTouch(touch: Touch): void;
  /** Keeps what changed so far, before it returns. */
  flush(): void;
};

const touched: Record<string, SubjectKind> = {
  subscriptions: 'subscription',
  subscriptionControls: 'subscription',
  heldChanges: 'subscription',
  sessions: 'session',
  paymentIntents: 'payment',
  invoices: 'invoice',
};
const scheduleRow = z.object({
  subscription: z.string().nullable(),
  released_subscription: z.string().nullable(),
});
const invoiceRow = z.object({
  parent: z.object({ subscription_details: z.object({ subscription: z.string() }) }),
});
const answerRow = z.object({ at_ms: z.number() });

/** Idempotency keys are kept for a day. */
function isRecent(row: object | null): boolean {
  const answer = answerRow.safeParse(row);
  return answer.success && Date.now() - answer.data.at_ms < 24 * 3_600_000;
}

const firstSettings: Settings = {
  id: 'settings',
  clock_offset_seconds: 0,
  webhooks_enabled: true,
  webhook_drop_ratio: 0,
};

const ignoreTouch: Touch = () => undefined;

/** Loads what the directory holds (null: memory only) and records every change from then on. */
export function createStore(stateDir: string | null): Store {
  const saved = stateDir === null ? [] : readJournal(stateDir);
  const journal = stateDir === null ? null : openJournal(stateDir, saved);
  let touch = ignoreTouch;
  let isLoading = true;
  let undoing: (() => void)[] | null = null;

  function touchFor(table: string, id: string, row: object | null): void {
    const kind = touched[table];
    if (kind !== undefined) touch(kind, id);
    if (table === 'invoices') {
      const billed = invoiceRow.safeParse(row);
      if (billed.success) touch('subscription', billed.data.parent.subscription_details.subscription);
    }
    if (table !== 'schedules') return;
    const schedule = scheduleRow.safeParse(row);
    if (!schedule.success) return;
    const subscription = schedule.data.subscription ?? schedule.data.released_subscription;
    if (subscription !== null) touch('subscription', subscription);
  }

  const tables = createTables((table, id, row, undo) => {
    if (undoing !== null) {
      undoing.push(undo);
      return;
    }
    if (!isLoading) journal?.record(table, id, row);
    touchFor(table, id, row);
  });

  function rehearse<T>(run: () => T): T {
    const outer = undoing;
    const own: (() => void)[] = [];
    undoing = own;
    try {
      return run();
    } finally {
      for (const undo of own.toReversed()) undo();
      undoing = outer;
    }
  }
  const byName = new Map(Object.values(tables).map((table) => [table.name, table]));
  for (const [table, , row] of saved) {
    const isExpired = table === 'idempotentAnswers' && !isRecent(row);
    if (row !== null && !isExpired) byName.get(table)?.load(row);
  }
  isLoading = false;

  const settings = (): Settings => tables.settings.get('settings') ?? firstSettings;
  return {
    tables,
    settings,
    changeSettings: (patch) => {
      tables.settings.insert({ ...settings(), ...patch });
    },
    rehearse,
    onTouch: (next) => {
      touch = next;
      for (const row of tables.subscriptions.all()) touch('subscription', row.id);
      for (const row of tables.sessions.all()) touch('session', row.id);
      for (const row of tables.paymentIntents.all()) touch('payment', row.id);
      for (const row of tables.invoices.all()) touch('invoice', row.id);
    },
    flush: () => journal?.flush(),
  };
}
