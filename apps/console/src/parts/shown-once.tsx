import { Stack, Text } from '@mantine/core';
import { CopyableId } from './copyable-id.tsx';

/** A secret that no other answer contains. */
export function ShownOnce({ of, field, what }: { of: unknown; field: string; what: string }) {
  const secret: unknown = typeof of === 'object' && of !== null ? Reflect.get(of, field) : undefined;
  if (typeof secret !== 'string') return null;
  return (
    <Stack gap="xs">
      <Text size="sm">{what} is shown now and never again. Copy it.</Text>
      <CopyableId id={secret} />
    </Stack>
  );
}
