import { Alert, Code, Stack, Text } from '@mantine/core';
import type { DryRunOut, FieldChange, ReplayEventResponse } from '@billing/domain';
import { valueWords } from '../words/value.ts';
import { DataTable } from './data-table.tsx';
import { inWords } from './status.tsx';

/** Fields with what they were, and what they become. */
export function ChangeTable({ changes, empty }: { changes: readonly FieldChange[]; empty: string }) {
  return (
    <DataTable
      name="Changes"
      rows={changes.map((change, index) => ({ ...change, key: `${index} ${change.path}` }))}
      keyOf={({ key }) => key}
      empty={empty}
      columns={[
        { name: 'What', cell: ({ path }) => <Code>{path}</Code> },
        { name: 'Now', cell: ({ before }) => <span className="value">{valueWords(before)}</span> },
        { name: 'Then', cell: ({ after }) => <span className="value">{valueWords(after)}</span> },
      ]}
    />
  );
}

export function touched(users: number | null): string {
  if (users === null) return 'Touches more than 10,000 users.';
  if (users === 0) return 'Touches no user.';
  return `Touches ${users.toLocaleString('en')} ${users === 1 ? 'user' : 'users'}.`;
}

/** What an action answers when it is tried; a replay says what would become of its event, and not whom it touches. */
export type Tried = DryRunOut | ReplayEventResponse;

/** What became of an event that was processed again, or would become of it. */
export function outcomeWords({ outcome, reason, dry_run: isTry }: ReplayEventResponse): string {
  const why = reason === null ? '.' : `: ${inWords(reason)}.`;
  return `${isTry ? 'It would be' : 'It is'} ${inWords(outcome)}${why}`;
}

/** What an action would do. */
export function Difference({ of }: { of: Tried }) {
  const changesNothing = 'outcome' in of ? of.changes.length === 0 : of.affected_users === 0;
  return (
    <Stack gap="xs" aria-live="polite">
      <Alert
        role="status"
        variant="outline"
        color={changesNothing ? 'gray' : 'orange'}
        title="What it changes"
      >
        <Text size="sm">{'outcome' in of ? outcomeWords(of) : touched(of.affected_users)}</Text>
      </Alert>
      <ChangeTable changes={of.changes} empty="It changes nothing." />
    </Stack>
  );
}
