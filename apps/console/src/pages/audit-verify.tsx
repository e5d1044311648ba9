import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import type { AuditVerificationOut } from '@billing/domain';
import { useEffect, useRef, useState } from 'react';
import { call } from '../api/call.ts';
import { CopyableId } from '../parts/copyable-id.tsx';
import { Failure } from '../parts/states.tsx';

type Found = Pick<AuditVerificationOut, 'rows' | 'erased' | 'head' | 'problem'>;
type State =
  | { at: 'rest' }
  | { at: 'running'; rows: number }
  | { at: 'done'; found: Found }
  | { at: 'failed'; error: unknown };

/** Follows the chain of the log to its end, or to the first bad row. */
async function followChain(onRows: (rows: number) => void, signal: AbortSignal): Promise<Found> {
  let sum = { rows: 0, erased: 0 };
  let after: string | undefined;
  for (;;) {
    const found: AuditVerificationOut = await call({
      path: '/api/v1/admin/audit/verify',
      query: { after },
      signal,
    });
    sum = { rows: sum.rows + found.rows, erased: sum.erased + found.erased };
    if (!found.has_more) return { ...sum, head: found.head, problem: found.problem };
    onRows(sum.rows);
    after = found.head;
  }
}

function Result({ of: { rows, erased, head, problem } }: { of: Found }) {
  const looked = `${rows.toLocaleString('en')} rows, of which ${erased.toLocaleString('en')} are erased`;
  return (
    <Alert
      role="status"
      variant="outline"
      color={problem === null ? 'green' : 'red'}
      title={problem === null ? 'The log is as it was written' : 'The log is not as it was written'}
    >
      <Stack gap="xs">
        <Text size="sm">
          {problem === null
            ? `${looked}. None was changed or left out.`
            : `${problem.words} The ${looked} before it are well. This is evidence: change nothing, and see the runbook.`}
        </Text>
        <Text size="sm">
          Its head, to compare with the lines audit_head of a worker’s log: only they show a log that was
          rewritten as a whole.
        </Text>
        <CopyableId id={head} />
      </Stack>
    </Alert>
  );
}

/** A button that checks the audit log, says how far it is, and can be stopped. */
export function VerifyAudit() {
  const [state, setState] = useState<State>({ at: 'rest' });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  async function start(): Promise<void> {
    const stop = new AbortController();
    running.current = stop;
    setState({ at: 'running', rows: 0 });
    try {
      const found = await followChain((rows) => setState({ at: 'running', rows }), stop.signal);
      setState({ at: 'done', found });
    } catch (error) {
      setState(stop.signal.aborted ? { at: 'rest' } : { at: 'failed', error });
    } finally {
      running.current = null;
    }
  }
  return (
    <Stack gap="xs">
      <Group>
        <Button
          variant="default"
          size="xs"
          onClick={() => {
            if (running.current === null) void start();
            else running.current.abort();
          }}
        >
          {state.at === 'running' ? 'Stop' : 'Verify the log'}
        </Button>
        <Text size="sm" role="status">
          {state.at === 'running' ? `${state.rows.toLocaleString('en')} rows so far` : ''}
        </Text>
      </Group>
      {state.at === 'done' ? <Result of={state.found} /> : null}
      {state.at === 'failed' ? <Failure error={state.error} retry={() => void start()} /> : null}
    </Stack>
  );
}
