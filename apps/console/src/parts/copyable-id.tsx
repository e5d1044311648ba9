import { ActionIcon, CopyButton, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';

const copyShape = 'M5 5V2h9v9h-3 M2 5h9v9H2z';
const done = 'M2 9l4 4 8-10';

/** Not every font has signs for it. */
const Icon = ({ shape }: { shape: string }) => (
  <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden focusable={false}>
    <path d={shape} fill="none" stroke="currentColor" strokeWidth="1.5" />
  </svg>
);

/** A button that copies an id. */
export const CopyId = ({ id }: { id: string }) => (
  <CopyButton value={id}>
    {({ copied, copy }) => (
      <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={`Copy ${id}`}>
        <Icon shape={copied ? done : copyShape} />
      </ActionIcon>
    )}
  </CopyButton>
);

/** An id with a button that copies it. `children`: what is shown in its place, such as a link. */
export function CopyableId({ id, children }: { id: string | null | undefined; children?: ReactNode }) {
  if (id === null || id === undefined || id === '') return <>–</>;
  return (
    <Group gap={4} wrap="nowrap" className="copyable">
      <Text span size="sm" ff="monospace" className="id">
        {children ?? id}
      </Text>
      <CopyId id={id} />
    </Group>
  );
}
