import { buildEntitlementsChanged, decideBackfill, decideTelling, wantsType } from '@billing/domain';
import type { Cause, ChangeMessage, Instant } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { deriveState } from '../derive-answer.ts';
import type { DerivationSettings, DerivedState } from '../derive-answer.ts';
import { readSources } from '../read-sources.ts';
import type { UserSources } from '../read-sources.ts';
import type { QueryJson } from '../query-json.ts';
import { advanceFanOut } from './fan-outs.ts';
import type { FanOutStep } from './fan-outs.ts';
import { forgetEarlier, forgetGone, lockUsers, readEmission } from './read-emission.ts';
import type { Emission, LockedUser } from './read-emission.ts';
import { writeMessages } from './write-messages.ts';
import type { NewMessage, ToldUser, WrittenMessages } from './write-messages.ts';

export type EmitContext = { settings: DerivationSettings; now: () => Instant };

export type EmitOrder = {
  projectId: string;
  /** At most 100. */
  userIds: readonly string[];
  /** Of all of them, besides those of their marks. */
  cause?: Cause;
  /** The step of a fan-out that this is: it is made once, whoever works on it. */
  step?: FanOutStep;
  /** What was read of them, where nobody has changed it since. */
  known?: ReadonlyMap<string, UserSources>;
  /** All of them are looked at: it waits for those whom others hold. Else they are left out, and those who need no look. */
  isThorough?: boolean;
};

const nothing: WrittenMessages = { pending: [], types: [], late: [] };

type Told = { users: ToldUser[]; bumps: number[]; messages: NewMessage[] };

/** What is told about one user. */
function tell(
  { emission, order, asOf }: { emission: Emission; order: EmitOrder; asOf: Instant },
  { ref, userId }: LockedUser,
  { answer, state: now, initial }: DerivedState,
): Told {
  const { endpoints, marks, states, unreachedUpTo } = emission;
  const told = states.get(userId) ?? null;
  const telling = {
    told,
    isUnknown: told === null && unreachedUpTo !== null && ref <= unreachedUpTo,
    initial: told === null ? initial() : [],
    now,
    asOf,
    causes: [...marks.filter((mark) => mark.userId === userId).map(({ cause }) => cause), order.cause].filter(
      (cause) => cause !== null && cause !== undefined,
    ),
    isWanted: endpoints.some(({ eventTypes }) => wantsType(eventTypes, 'entitlements.changed')),
  };
  const decided = decideTelling(telling);
  const backfilled = order.step?.endpointId ?? null;
  const toMessage = (message: ChangeMessage) => ({
    userId,
    version: message.version,
    body: buildEntitlementsChanged(answer, message),
    isLate: decided.isBumped,
  });
  const backfill = backfilled === null ? null : decideBackfill(telling, decided);
  // One that wants the latest only hears the same state by the backfill.
  const except = endpoints.find(({ id, delivery }) => id === backfilled && delivery === 'latest')?.id;
  const messages: NewMessage[] = [
    ...(decided.message === null ? [] : [{ ...toMessage(decided.message), except }]),
    ...(backfill === null || backfilled === null
      ? []
      : [{ ...toMessage(backfill.message), only: backfilled }]),
  ];
  const state = backfill?.state ?? decided.state;
  return {
    users: state === null ? [] : [{ ref, userId, state }],
    bumps: decided.isBumped ? [ref] : [],
    messages,
  };
}

/** Those of whom there is something to tell, or to find out. */
function toLookAt(
  { isThorough = false }: EmitOrder,
  locked: readonly LockedUser[],
  { marks, states }: Emission,
): LockedUser[] {
  const marked = new Set(marks.map(({ userId }) => userId));
  return isThorough ? [...locked] : locked.filter(({ userId }) => marked.has(userId) || states.has(userId));
}

/** Of users who are locked: versions grow with all that an answer depends on, so what was read at the same versions holds. */
async function sourcesOf(
  query: QueryJson,
  { projectId, known }: EmitOrder,
  { locked, emission }: { locked: readonly LockedUser[]; emission: Emission },
): Promise<ReadonlyMap<string, UserSources>> {
  const others = locked.filter(({ ref, userId, version }) => {
    const read = known?.get(userId);
    const isOfNow = read?.userRef === ref && read.userVersion === version;
    return !isOfNow || read.projectVersion !== emission.projectVersion;
  });
  if (others.length === 0 && known !== undefined) return known;
  const userIds = others.map(({ userId }) => userId);
  return new Map([...(known ?? []), ...(await readSources({ $queryJson: query }, projectId, userIds))]);
}

async function emit(query: QueryJson, context: EmitContext, order: EmitOrder): Promise<WrittenMessages> {
  const { projectId, step, isThorough = false } = order;
  if (step !== undefined && !(await advanceFanOut(query, step))) return nothing;
  if (order.userIds.length === 0) return nothing;
  const locked = await lockUsers(query, { ...order, waits: isThorough });
  if (locked.length < order.userIds.length) await forgetGone(query, order);
  if (locked.length === 0) return nothing;
  const all = { projectId, userIds: locked.map(({ userId }) => userId) };
  const emission = await readEmission(query, all);
  const { marks, endpoints, baseLine } = emission;
  const done = { projectId, baseLine, endpoints, marks: marks.map(({ id }) => id) };
  const users = emission.tellsChanges ? toLookAt(order, locked, emission) : [];
  if (users.length < locked.length) await forgetEarlier(query, { ...all, emission });
  if (users.length === 0) return writeMessages(query, { ...done, messages: [] });
  const sources = await sourcesOf(query, order, { locked, emission });
  const asOf = context.now();
  const told = users.flatMap((user) => {
    const read = sources.get(user.userId);
    if (read === undefined) return [];
    const derived = deriveState(read, context.settings, { projectId, asOf });
    return [tell({ emission, order, asOf }, user, derived)];
  });
  return writeMessages(query, {
    ...done,
    states: told.flatMap((one) => one.users),
    bumps: told.flatMap(({ bumps }) => bumps),
    messages: told.flatMap(({ messages }) => messages),
  });
}

/**
 * Looks at users who may have changed, and writes what their project is to be told, in one transaction. Their rows are locked
 * first: what they have changes before or after it, never meanwhile. Returns what follows the commit: invalidations, and
 * messages that wait for them (`releaseMessages`).
 */
export const emitUsers = (
  database: Pick<Database, '$transactJson'>,
  context: EmitContext,
  order: EmitOrder,
): Promise<WrittenMessages> => database.$transactJson((query) => emit(query, context, order));
