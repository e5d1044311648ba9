import { decideBatch, knownKey, lackedBuckets, needsEndedBuckets, noChange } from '@billing/domain';
import type { Account, CommandResult, Instant, UsageBatch, UsageChange } from '@billing/domain';
import type { QueryJson } from '../query-json.ts';
import type { UserSources } from '../read-sources.ts';
import { accountText, groupByAccount } from './account-key.ts';
import type { AccountKey, AskedCommand } from './account-key.ts';
import { withBodies } from './event-rows.ts';
import type { StoredReservation } from './event-rows.ts';
import { askEnded, readBatch } from './read-batch.ts';
import type { AskedEnded, ReadBatch } from './read-batch.ts';
import { isCurrent } from './source-copies.ts';
import { lockStates } from './state-rows.ts';
import { noteUnmarked } from './unmarked-commits.ts';
import type { UsageSettings } from './usage-settings.ts';
import { accountOf, deriveSources } from './user-sources.ts';
import type { DerivedSources } from './user-sources.ts';
import { writeBatch } from './write-batch.ts';
import type { AccountChange } from './change-rows.ts';

/** An account of a batch, with its user's sources as they are known to the process. */
export type AskedAccount = AccountKey & { sources: UserSources };

/** An account that a batch changed, as it left it. */
export type ChangedAccount = AccountKey & { sources: DerivedSources; account: Account; change: UsageChange };

export type Taken = {
  /** In the order of the commands; null: not decided, as nothing was of its account. */
  results: (CommandResult | null)[];
  changed: ChangedAccount[];
  /** Accounts that were decided about, and stayed as they were: what was answered of them is as new. */
  unchanged: (AccountKey & { usageSeq: number })[];
  /** Accounts that are held by another process, or without a row. */
  contended: AccountKey[];
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
  /** Called before the commit with what it will make known; awaited with the write. False: the cache was not told. */
  mark: (changed: readonly ChangedAccount[]) => Promise<boolean>;
};

/** A locked account, by `accountText`. */
export type Opened = AccountKey & { sources: DerivedSources; account: Account };

/** Of reservations that are held: those that are due, and when the next of the others is. */
function dueOf(held: readonly StoredReservation[], now: Instant) {
  const later = held.filter((one) => one.expiresAt > now).map((one) => one.expiresAt);
  const nextDueAt = later.length === 0 ? null : Math.min(...later);
  return { holds: held.filter((one) => one.expiresAt <= now), nextDueAt };
}

const isDueNow = ({ account }: Opened, now: Instant): boolean =>
  account.state.holdsDueAt !== null && account.state.holdsDueAt <= now;

/** Buckets that have ended: of the present, of commands, and for what was charged when a reservation expired. */
function endedOf(
  { account, sources: _sources, ...key }: Opened,
  commands: readonly AskedCommand[],
): AskedEnded[] {
  const isOfAll = commands.some(
    ({ command }) => command.kind === 'confirm' || needsEndedBuckets(account, command),
  );
  return askEnded(key, isOfAll ? 'all' : lackedBuckets(account));
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

/** Those whose sources still are what was known, with their ended buckets where they were read. */
export function readyOf(opened: readonly Opened[], read: ReadBatch): Map<string, Opened> {
  const versions = new Map(read.versions.map((one) => [accountText(one), one]));
  const ended = groupByAccount(read.ended);
  return new Map(
    opened.flatMap((one) => {
      const key = accountText(one);
      const version = versions.get(key);
      if (version === undefined || !isCurrent(one.sources.read, version)) return [];
      const { account } = one;
      const buckets = [...account.state.buckets, ...(ended.get(key) ?? []).map(({ bucket }) => bucket)];
      return [[key, { ...one, account: { ...account, state: { ...account.state, buckets } } }]];
    }),
  );
}

/** What was read, as decisions take it. */
export function toUsageBatch(
  ready: ReadonlyMap<string, Opened>,
  read: ReadBatch,
  { commands, now, lateMs }: { commands: readonly AskedCommand[]; now: Instant; lateMs: number },
): UsageBatch {
  const held = withBodies(read.held, commands);
  const heldOf = groupByAccount(held);
  const dueAccounts = [...ready].filter(([, one]) => isDueNow(one, now));
  return {
    accounts: new Map([...ready].map(([key, { account }]) => [key, account])),
    due: new Map(dueAccounts.map(([key]) => [key, dueOf(heldOf.get(key) ?? [], now)])),
    events: new Map(
      withBodies(read.events, commands).map((event) => [knownKey(event.projectId, event.eventId), event]),
    ),
    reservations: new Map(
      [...held, ...withBodies(read.reservations, commands)].map((row) => [
        knownKey(row.projectId, row.reservationId),
        row,
      ]),
    ),
    lateMs,
  };
}

/** A state that no command changed still has to be told when its next reservation is due. */
function withDueTimes(changes: ReadonlyMap<string, UsageChange>, { accounts, due }: UsageBatch) {
  const all = new Map(changes);
  for (const [key, { nextDueAt }] of due) {
    const account = accounts.get(key);
    if (account === undefined || all.has(key) || account.state.holdsDueAt === nextDueAt) continue;
    all.set(key, noChange({ ...account, state: { ...account.state, holdsDueAt: nextDueAt } }));
  }
  return all;
}

function changedOf(
  ready: ReadonlyMap<string, Opened>,
  changes: ReadonlyMap<string, UsageChange>,
): ChangedAccount[] {
  return [...changes].flatMap(([key, change]) => {
    const opened = ready.get(key);
    return opened === undefined ? [] : [{ ...opened, change, account: change.account }];
  });
}

function toAccountChanges(changed: readonly ChangedAccount[], read: ReadBatch): AccountChange[] {
  const ended = groupByAccount(read.ended);
  return changed.map(({ sources: _sources, account: _account, ...one }) => ({
    ...one,
    ended: (ended.get(accountText(one)) ?? []).map(({ bucket }) => bucket),
  }));
}

/**
 * Decides commands about accounts in one transaction: locks their rows, reads (as a statement of its own) what was
 * written about them until then, decides, and writes. Accounts that are held by others, or whose sources have changed,
 * are left out: nothing waits for them.
 */
export async function takeBatch(query: QueryJson, batch: Batch, options: TakeOptions): Promise<Taken> {
  const { settings, now, mark } = options;
  const { commands } = batch;
  const rememberedSince = new Date(Math.max(0, now - settings.retentionMs));
  const opened = await open(query, batch, options);
  const openedKeys = new Set(opened.map(accountText));
  const commandsOf = groupByAccount(commands);
  const read = await readBatch(query, {
    accounts: opened,
    commands: commands.filter((one) => openedKeys.has(accountText(one))),
    withHeld: opened.filter((one) => isDueNow(one, now)),
    withEnded: opened.flatMap((one) => endedOf(one, commandsOf.get(accountText(one)) ?? [])),
    rememberedSince,
  });
  const ready = readyOf(opened, read);
  const asked = commands.flatMap(({ command, ...key }) => {
    const account = accountText(key);
    return ready.has(account) ? [{ account, projectId: key.projectId, command }] : [];
  });
  const usageBatch = toUsageBatch(ready, read, { commands, now, lateMs: settings.lateMs });
  const { results, changes } = decideBatch(usageBatch, asked);
  const changed = changedOf(ready, withDueTimes(changes, usageBatch));
  const marked = mark(changed);
  await writeBatch(query, {
    now,
    rememberedSince,
    known: read.events,
    changes: toAccountChanges(changed, read),
  });
  if (!(await marked) && changed.length > 0) await noteUnmarked(query);
  let next = 0;
  const changedKeys = new Set(changed.map(accountText));
  return {
    changed,
    unchanged: [...ready].flatMap(([key, { account, projectId, userId, featureCode }]) =>
      changedKeys.has(key) ? [] : [{ projectId, userId, featureCode, usageSeq: account.state.usageSeq }],
    ),
    contended: batch.accounts.filter((one) => !openedKeys.has(accountText(one))),
    results: commands.map((one) => (ready.has(accountText(one)) ? (results[next++] ?? null) : null)),
  };
}
