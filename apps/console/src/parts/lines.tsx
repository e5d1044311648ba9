import { Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** A value with what belongs to it below, so that a table needs one column for both. */
export function Lines({ of, children }: { of: ReactNode; children: ReactNode }) {
  return (
    <>
      {of}
      <Text size="sm" c="dimmed" component="div" className="below">
        {children}
      </Text>
    </>
  );
}
