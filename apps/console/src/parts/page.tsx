import { Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyId } from './copyable-id.tsx';

type Props = {
  title: string;
  /** The id that the title ends with, for who wants to copy it. */
  id?: string;
  /** One sentence on what the page is for. */
  words?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
};

/** A page with its name, which the browser's title repeats. */
export function Page({ title, id, words, actions, children }: Props) {
  return (
    <Stack gap="md">
      <title>{`${title} · Billing console`}</title>
      <Group justify="space-between" align="flex-start">
        <Stack gap={0} className="page-head">
          <Group gap={4} wrap="nowrap">
            <Title order={1} size="h2" className="page-title">
              {title}
            </Title>
            {id === undefined ? null : <CopyId id={id} />}
          </Group>
          {words === undefined ? null : <Text c="dimmed">{words}</Text>}
        </Stack>
        <Group gap="xs" className="page-actions">
          {actions}
        </Group>
      </Group>
      {children}
    </Stack>
  );
}

/** A part of a page. */
export function Section({
  title,
  actions,
  children,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section aria-label={title}>
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {title}
          </Title>
          <Group gap="xs" className="page-actions">
            {actions}
          </Group>
        </Group>
        {children}
      </Stack>
    </section>
  );
}
