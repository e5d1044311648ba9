import { Stack, Text } from '@mantine/core';
import type { ReplayEventResponse, RunAccepted } from '@billing/domain';
import type { ReactNode } from 'react';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { ChangeTable, outcomeWords } from '../../parts/change-table.tsx';
import { givenText, isOn } from '../../parts/values.ts';
import { AnchorLink } from '../../parts/router-links.tsx';

const hasField = <Name extends string>(of: unknown, name: Name): of is Record<Name, unknown> =>
  typeof of === 'object' && of !== null && name in of;

const isRun = (answer: unknown): answer is RunAccepted =>
  hasField(answer, 'run_id') && typeof answer.run_id === 'string';
const isReplay = (answer: unknown): answer is ReplayEventResponse =>
  hasField(answer, 'outcome') && hasField(answer, 'changes') && Array.isArray(answer.changes);

/** The run that a call started. */
export function startedRun(answer: unknown): ReactNode {
  if (!isRun(answer)) return null;
  return (
    <AnchorLink to="/runs/$runId" params={{ runId: answer.run_id }}>
      Started. Follow the run {answer.run_id}.
    </AnchorLink>
  );
}

function replayed(answer: unknown): ReactNode {
  if (!isReplay(answer)) return null;
  return (
    <Stack gap="xs">
      <Text size="sm">{outcomeWords(answer)}</Text>
      <ChangeTable changes={answer.changes} empty="It changes nothing." />
    </Stack>
  );
}

/** Processes an event again without keeping what it does. */
export const tryReplay = (eventId: string): Action => ({
  label: 'Try a replay',
  title: `What would a replay of ${eventId} change?`,
  words: 'A worker processes the event again and keeps nothing.',
  least: 'operator',
  confirm: 'Try it',
  request: () => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/events/${eventId}/replay`,
    body: { dry_run: true },
  }),
  done: replayed,
});

/** Processes an event again, after it was tried. */
export const replayOne = (eventId: string): Action => ({
  ...tryReplay(eventId),
  isTried: true,
  needsReason: true,
  label: 'Replay',
  title: `Replay ${eventId}`,
  words: 'A worker processes the event again. What is newer stays.',
  confirm: 'Replay it',
  request: () => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/events/${eventId}/replay`,
    body: { dry_run: false },
  }),
});

const forReal = {
  kind: 'switch',
  name: 'apply',
  label: 'For real',
  description: 'Off: it only shows what it would change.',
} as const;

/** `objectId`: only events about this object. */
export const replayMany = (objectId?: string): Action => ({
  label: objectId === undefined ? 'Replay many' : 'Replay its events',
  isOfAll: true,
  title: 'Replay many events',
  words: 'A run of the worker processes events again: of an object, of a window of time, or of both.',
  least: 'operator',
  confirm: 'Start',
  fields: [
    { kind: 'text', name: 'object_id', label: 'Object of Stripe', initial: objectId ?? '' },
    { kind: 'time', name: 'from', label: 'Made from' },
    { kind: 'time', name: 'to', label: 'Made before' },
    { kind: 'text', name: 'reason', label: 'Reason', description: 'Kept in the audit log.' },
    forReal,
  ],
  request: (values) => ({
    method: 'POST',
    path: '/api/v1/admin/events/replay',
    body: {
      object_id: givenText(values, 'object_id'),
      from: givenText(values, 'from'),
      to: givenText(values, 'to'),
      reason: givenText(values, 'reason'),
      dry_run: !isOn(values, 'apply'),
    },
  }),
  done: startedRun,
});

/** `onlyProject`: of a name that is limited to it; null: of none. */
export const startReconcile = (onlyProject: string | null): Action => ({
  label: 'Reconcile',
  title: 'Compare with Stripe',
  words: 'A run of the worker compares what is stored with what Stripe has, within the budget of reads.',
  least: 'operator',
  confirm: 'Start',
  fields: [
    onlyProject === null
      ? { kind: 'text', name: 'project_id', label: 'Project', description: 'Empty: all.' }
      : { kind: 'text', name: 'project_id', label: 'Project', isRequired: true, initial: onlyProject },
    {
      kind: 'time',
      name: 'since',
      label: 'Payments since',
      description: 'Empty: the last 30 days. Subscriptions are compared whatever their age.',
    },
    { ...forReal, label: 'Repair', description: 'Off: it only shows the differences.' },
  ],
  request: (values) => ({
    method: 'POST',
    path: '/api/v1/admin/reconcile',
    body: {
      project_id: givenText(values, 'project_id'),
      since: givenText(values, 'since'),
      dry_run: !isOn(values, 'apply'),
    },
  }),
  done: startedRun,
});
