import { Code } from '@mantine/core';

/** Data as JSON. */
export function Json({ of, name }: { of: unknown; name: string }) {
  return (
    <div className="scroll" role="group" aria-label={name} tabIndex={0}>
      <Code block>{JSON.stringify(of, null, 2)}</Code>
    </div>
  );
}
