import { Alert, Button, Group, Loader, Stack, Text, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode, Ref, SyntheticEvent } from 'react';
import { call } from '../api/call.ts';
import type { Call } from '../api/call.ts';
import { sessionKey } from '../api/query-client.ts';
import { ApiError } from '../api/problem.ts';
import type { Action } from './action-type.ts';
import { Difference } from './change-table.tsx';
import type { Tried } from './change-table.tsx';
import { FieldList } from './fields.tsx';
import { Failure, Loading } from './states.tsx';
import { initialValues } from './values.ts';
import type { Values } from './values.ts';

/** The same call as a try. Its reason is not kept. */
function asTry(request: Call, needsReason: boolean): Call {
  if (request.method === 'DELETE') return { ...request, query: { ...request.query, dry_run: true } };
  const reason = needsReason ? { reason: 'What would it change?' } : {};
  return { ...request, body: { ...request.body, ...reason, dry_run: true } };
}

const withReason = (request: Call, reason: string | undefined): Call =>
  reason === undefined ? request : { ...request, body: { ...request.body, reason } };

type Step = { at: 'fields' } | { at: 'difference'; of: Tried | null } | { at: 'done'; answer: unknown };

/** Where an action stands: fill in, see the difference, give a reason, done. */
function useAction(action: Action) {
  const { fields = [], isTried = false, needsReason = false } = action;
  const client = useQueryClient();
  const [values, setValues] = useState<Values>(() => initialValues(fields));
  const [step, setStep] = useState<Step>(
    fields.length > 0 ? { at: 'fields' } : { at: 'difference', of: null },
  );
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function attempt(work: () => Promise<Step>): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    setError(null);
    try {
      setStep(await work());
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }
  const look = (): Promise<void> =>
    attempt(async () =>
      isTried
        ? { at: 'difference', of: await call<Tried>(asTry(action.request(values), needsReason)) }
        : { at: 'difference', of: null },
    );
  const act = (reason: string): Promise<void> =>
    attempt(async () => {
      const request = withReason(action.request(values), needsReason ? reason : undefined);
      const answer = await call<unknown>(request);
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
      return { at: 'done', answer };
    });
  const back = (): void => {
    setError(null);
    setStep({ at: 'fields' });
  };
  return { values, setValues, step, isBusy, error, look, act, back };
}

type Running = ReturnType<typeof useAction>;

function onSubmit(work: () => Promise<void>): (event: SyntheticEvent) => void {
  return (event) => {
    event.preventDefault();
    event.stopPropagation();
    void work();
  };
}

type SubmitProps = {
  isBusy: boolean;
  isDangerous?: boolean;
  ref?: Ref<HTMLButtonElement>;
  children: ReactNode;
};

/** Never disabled: a button that is loses the focus of who works by keyboard. */
function SubmitButton({ isBusy, isDangerous = false, ref, children }: SubmitProps) {
  return (
    <Button
      type="submit"
      aria-busy={isBusy}
      leftSection={isBusy ? <Loader size="xs" color="white" aria-hidden /> : null}
      {...(ref === undefined ? {} : { ref })}
      {...(isDangerous ? { color: 'red' } : {})}
    >
      {children}
    </Button>
  );
}

function FillIn({ action, running }: { action: Action; running: Running }) {
  const { values, setValues, isBusy, error, look } = running;
  const problems = error instanceof ApiError ? error.fields : [];
  return (
    <form onSubmit={onSubmit(look)} noValidate={false}>
      <Stack>
        <Text size="sm">{action.words}</Text>
        <FieldList fields={action.fields ?? []} values={values} problems={problems} onChange={setValues} />
        {error === null ? null : <Failure error={error} />}
        <Group justify="flex-end">
          <SubmitButton isBusy={isBusy}>
            {action.isTried === true ? 'What would it change?' : 'Next'}
          </SubmitButton>
        </Group>
      </Stack>
    </form>
  );
}

function Confirm({ action, running, of }: { action: Action; running: Running; of: Tried | null }) {
  const { isBusy, error, act, back, look } = running;
  const [reason, setReason] = useState('');
  const { needsReason = false, isTried = false, fields = [] } = action;
  const wantsLook = isTried && of === null && error === null && !isBusy;
  useEffect(() => {
    if (wantsLook) void look();
  }, [wantsLook, look]);
  const isReady = !isTried || of !== null;
  const reasonInput = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isReady) (reasonInput.current ?? button.current)?.focus();
  }, [isReady]);
  return (
    <form onSubmit={onSubmit(() => (isReady ? act(reason.trim()) : Promise.resolve()))}>
      <Stack>
        <Text size="sm">{action.words}</Text>
        {of === null ? null : <Difference of={of} />}
        {isReady || error !== null ? null : <Loading rows={3} />}
        {needsReason && isReady ? (
          <Textarea
            label="Reason"
            description="Kept in the audit log."
            required
            ref={reasonInput}
            value={reason}
            onChange={({ currentTarget }) => setReason(currentTarget.value)}
          />
        ) : null}
        {error === null ? null : <Failure error={error} retry={isReady ? undefined : () => void look()} />}
        <Group justify="flex-end">
          {fields.length > 0 ? (
            <Button variant="default" onClick={back}>
              Back
            </Button>
          ) : null}
          <SubmitButton isBusy={isBusy} isDangerous={action.isDangerous ?? false} ref={button}>
            {action.confirm ?? action.label}
          </SubmitButton>
        </Group>
      </Stack>
    </form>
  );
}

/** What came of it. The button gets the focus, so that Enter ends it. */
function Done({ close, children }: { close: () => void; children: ReactNode }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <Stack>
      <Alert variant="outline" color="green" title="Done" role="status">
        {children}
      </Alert>
      <Group justify="flex-end">
        <Button ref={button} onClick={close}>
          Close
        </Button>
      </Group>
    </Stack>
  );
}

/** An action step by step. */
export function ActionSteps({ action, close }: { action: Action; close: () => void }) {
  const running = useAction(action);
  const { step } = running;
  if (step.at === 'fields') return <FillIn action={action} running={running} />;
  if (step.at === 'difference') return <Confirm action={action} running={running} of={step.of} />;
  return <Done close={close}>{action.done?.(step.answer) ?? 'It is done, and in the audit log.'}</Done>;
}
