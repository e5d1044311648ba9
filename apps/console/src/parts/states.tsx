import { Alert, Button, Code, Group, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiError } from '../api/problem.ts';
import { isForbidden, isMissing } from '../api/reads.ts';

export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <Stack gap="xs" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} h={20} />
      ))}
    </Stack>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return (
    <Text c="dimmed" py="sm">
      {children}
    </Text>
  );
}

function titleOf(error: unknown): string {
  if (isForbidden(error)) return 'You may not see or do this';
  if (isMissing(error)) return 'There is no such thing';
  return error instanceof ApiError ? error.title : 'Something went wrong in this page';
}

/** An error in words, with the id to look for in the log. */
export function Failure({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { requestId = null, retryAfterSeconds: wait = null } = error instanceof ApiError ? error : {};
  return (
    <Alert role="alert" variant="outline" color={isForbidden(error) ? 'gray' : 'red'} title={titleOf(error)}>
      <Stack gap="xs">
        <Text size="sm">
          {error instanceof Error ? error.message : String(error)}
          {wait === null || wait === 0 ? '' : ` Ask again in ${wait} s.`}
        </Text>
        {requestId === null ? null : (
          <Text size="sm">
            In the log: <Code>{requestId}</Code>
          </Text>
        )}
        {retry === undefined || isForbidden(error) ? null : (
          <Group>
            <Button variant="default" size="xs" onClick={retry}>
              Try again
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}

type ReadState<Answer> = { data: Answer | undefined; error: Error | null; refetch: () => unknown };

/** What a read answered, or that it is loading or failed. An older answer stays while a newer one fails. */
export function Loaded<Answer>({
  read,
  children,
}: {
  read: ReadState<Answer>;
  children: (answer: Answer) => ReactNode;
}) {
  const failure =
    read.error === null ? null : <Failure error={read.error} retry={() => void read.refetch()} />;
  if (read.data === undefined) return failure ?? <Loading />;
  return (
    <>
      {failure}
      {children(read.data)}
    </>
  );
}
