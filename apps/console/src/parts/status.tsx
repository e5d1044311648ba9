import { Badge } from '@mantine/core';

/** The colour of a word that the API uses for a state; any other is grey. */
const colourOf: Record<string, string> = Object.fromEntries(
  [
    ['green', 'active applied done enabled succeeded in_force trialing paid ready ok delivered admin'],
    ['red', 'failed unpaid canceled disabled incomplete_expired refunded disputed revoked error'],
    ['yellow', 'past_due quarantined running incomplete paused pending held waiting sending due degraded'],
  ].flatMap(([colour = 'gray', words = '']) => words.split(' ').map((word) => [word, colour])),
);

export const inWords = (code: string): string => code.replaceAll('_', ' ');

/** A state as the API calls it. The word says it; the colour only repeats it. */
export function Status({ of }: { of: string | null | undefined }) {
  if (of === null || of === undefined) return <>–</>;
  return (
    <Badge className="status" variant="outline" data-colour={colourOf[of] ?? 'gray'} radius="sm">
      {inWords(of)}
    </Badge>
  );
}
