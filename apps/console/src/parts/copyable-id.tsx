import { ActionIcon, CopyButton, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** An id with a button that copies it. `children`: what is shown in its place, such as a link. */
export function CopyableId({ id, children }: { id: string | null | undefined; children?: ReactNode }) {
  if (id === null || id === undefined || id === '') return <>–</>;
  return (
    <Group gap={4} wrap="nowrap" className="copyable">
      <Text span size="sm" ff="monospace" className="id">
        {children ?? id}
      </Text>
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={`Copy ${id}`}>
            <span aria-hidden>{copied ? '✓' : '⧉'}</span>
          </ActionIcon>
        )}
      </CopyButton>
    </Group>
  );
}
