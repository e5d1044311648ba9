import { decideBatch, knownKey, needsEndedBuckets, noChange } from '@billing/domain';
import type { Account, CommandResult, Instant, UsageChange, UsageCommand } from '@billing/domain';
import type { QueryJson } from '../query-json.ts';
import type { UserSources } from '../read-sources.ts';
import { accountText } from './account-key.ts';
import type { AccountKey } from './account-key.ts';
import { withBodies } from './event-rows.ts';
import type { StoredReservation } from './event-rows.ts';
import { readBatch } from './read-batch.ts';
import type { ReadBatch } from './read-batch.ts';
import { isCurrent } from './source-copies.ts';
import { lockStates } from './state-rows.ts';
import type { UsageSettings } from './usage-settings.ts';
import { accountOf, deriveSources } from './user-sources.ts';
import type { DerivedSources } from './user-sources.ts';
import { writeBatch } from './write-batch.ts';

export type AskedCommand = AccountKey & { command: UsageCommand };

/** An account of a batch, with its user's sources as they are known to the process. */
export type AskedAccount = AccountKey & { sources: UserSources };

/** An account as the batch left it. */
export type TakenAccount = AccountKey & {
  sources: DerivedSources;
  account: Account;
  change: UsageChange | null;
};

export type Taken = {
  /** In the order of the commands; null: not decided, as nothing was of its account. */
  results: (CommandResult | null)[];
  /** The accounts that were decided about, by `accountText`. */
  accounts: Map<string, TakenAccount>;
  /** Held by another process, or without a row. */
  contended: AccountKey[];
  /** Whose sources are newer than those that were given. */
  outdated: AccountKey[];
};

export type Batch = {
  accounts: readonly AskedAccount[];
  commands: readonly AskedCommand[];
  /** Waits for the one account that it is about. */
  isPatient: boolean;
};

export type TakeOptions = {
  settings: UsageSettings;
  now: Instant;
  /** Called before the commit with what it will make known; awaited with the write. */
  mark?: (changed: readonly TakenAccount[]) => Promise<void>;
};

type Opened = AccountKey & { sources: DerivedSources; account: Account };

/** Of reservations that are held: those that are due, and when the next of the others is. */
function dueOf(held: readonly StoredReservation[], now: Instant) {
  const [due, later] = [
    held.filter((one) => one.expiresAt <= now),
    held.filter((one) => one.expiresAt > now).map((one) => one.expiresAt),
  ];
  return { holds: due, nextDueAt: later.length === 0 ? null : Math.min(...later) };
}

const isDueNow = ({ account }: Opened, now: Instant): boolean =>
  account.state.holdsDueAt !== null && account.state.holdsDueAt <= now;

/** Buckets that have ended, also for what was charged when a reservation expired. */
const needsEnded = (account: Account, commands: readonly AskedCommand[]): boolean =>
  commands.some(({ command }) => command.kind === 'confirm' || needsEndedBuckets(account, command));

function group<Row extends AccountKey>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = accountText(row);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [row]);
    else known.push(row);
  }
  return groups;
}

/** Locks the accounts and derives what is offered; those that are held by others are left out. */
async function open(
  query: QueryJson,
  { accounts, isPatient }: Batch,
  { settings, now }: TakeOptions,
): Promise<Opened[]> {
  const rows = await lockStates(query, accounts, { isPatient });
  const derived = new Map<UserSources, DerivedSources>();
  return rows.flatMap(({ position, ...state }) => {
    const asked = accounts[position - 1];
    if (asked === undefined) return [];
    const { sources: read, ...key } = asked;
    const sources = derived.get(read) ?? deriveSources(read, settings, now);
    derived.set(read, sources);
    return [{ ...key, sources, account: accountOf(sources, key.featureCode, state) }];
  });
}

/** The account with its ended buckets, where they were read. */
const withEnded = ({ account }: Opened, ended: ReadBatch['ended'] | undefined): Account =>
  ended === undefined
    ? account
    : {
        ...account,
        state: {
          ...account.state,
          buckets: [...account.state.buckets, ...ended.map(({ bucket }) => bucket)],
        },
      };

/** A state that no command changed still has to be told when its next reservation is due. */
function keepDue(
  changes: Map<string, UsageChange>,
  key: string,
  account: Account,
  nextDueAt: Instant | null,
): void {
  if (changes.has(key) || account.state.holdsDueAt === nextDueAt) return;
  changes.set(key, noChange({ ...account, state: { ...account.state, holdsDueAt: nextDueAt } }));
}

/**
 * Decides commands about accounts in one transaction: locks their rows, reads (as a statement of its own) what was
 * written about them until then, decides, and writes. Accounts that are held by others, or whose sources have changed,
 * are left out: nothing waits for them.
 */
export async function takeBatch(query: QueryJson, batch: Batch, options: TakeOptions): Promise<Taken> {
  const { settings, now, mark } = options;
  const rememberedSince = new Date(now - settings.retentionMs);
  const opened = await open(query, batch, options);
  const commandsOf = group(batch.commands);
  const openedKeys = new Set(opened.map(accountText));
  const contended = batch.accounts.filter((one) => !openedKeys.has(accountText(one)));
  const read = await readBatch(query, {
    accounts: opened,
    commands: batch.commands.filter((one) => openedKeys.has(accountText(one))),
    withHeld: opened.filter((one) => isDueNow(one, now)),
    withEnded: opened.filter((one) => needsEnded(one.account, commandsOf.get(accountText(one)) ?? [])),
    rememberedSince,
  });
  const versions = new Map(read.versions.map((one) => [accountText(one), one]));
  const held = withBodies(read.held, batch.commands);
  const [endedOf, heldOf] = [group(read.ended), group(held)];
  const ready = opened.filter((one) => {
    const version = versions.get(accountText(one));
    return version !== undefined && isCurrent(one.sources.read, version);
  });
  const readyKeys = new Map(ready.map((one) => [accountText(one), one]));
  const accounts = new Map(
    [...readyKeys].map(([key, one]) => [key, withEnded(one, endedOf.get(key))] as const),
  );
  const due = new Map(
    [...readyKeys].flatMap(([key, one]) =>
      isDueNow(one, now) ? [[key, dueOf(heldOf.get(key) ?? [], now)] as const] : [],
    ),
  );
  const asked = batch.commands.filter((one) => readyKeys.has(accountText(one)));
  const { results, changes } = decideBatch(
    {
      accounts,
      due,
      lateMs: settings.lateMs,
      events: new Map(
        withBodies(read.events, batch.commands).map((event) => [
          knownKey(event.projectId, event.eventId),
          event,
        ]),
      ),
      reservations: new Map(
        [...held, ...withBodies(read.reservations, batch.commands)].map((row) => [
          knownKey(row.projectId, row.reservationId),
          row,
        ]),
      ),
    },
    asked.map(({ command, ...key }) => ({ account: accountText(key), projectId: key.projectId, command })),
  );
  for (const [key, { nextDueAt }] of due) {
    const account = accounts.get(key);
    if (account !== undefined) keepDue(changes, key, account, nextDueAt);
  }
  const taken = new Map(
    [...readyKeys].map(([key, { account: opened, sources, ...of }]): [string, TakenAccount] => {
      const change = changes.get(key) ?? null;
      return [key, { ...of, sources, change, account: change?.account ?? accounts.get(key) ?? opened }];
    }),
  );
  const changed = [...taken.values()].filter((one) => one.change !== null);
  const marked = mark?.(changed);
  await writeBatch(query, {
    now,
    rememberedSince,
    known: read.events,
    changes: changed.flatMap(({ change, sources: _, account: _account, ...key }) =>
      change === null
        ? []
        : [{ ...key, change, ended: (endedOf.get(accountText(key)) ?? []).map(({ bucket }) => bucket) }],
    ),
  });
  await marked;
  let next = 0;
  return {
    accounts: taken,
    contended: contended.map(({ sources: _, ...key }) => key),
    outdated: opened.flatMap(({ sources: _, account: _account, ...key }) =>
      readyKeys.has(accountText(key)) ? [] : [key],
    ),
    results: batch.commands.map((one) =>
      readyKeys.has(accountText(one)) ? (results[next++] ?? null) : null,
    ),
  };
}
