import { Text } from '@mantine/core';

const inZone = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const steps = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "in 3 days", "5 minutes ago". */
export function fromNow(at: Date, now = Date.now()): string {
  const seconds = (at.getTime() - now) / 1_000;
  for (const [unit, length] of steps)
    if (Math.abs(seconds) >= length) return words.format(Math.trunc(seconds / length), unit);
  return words.format(Math.trunc(seconds), 'second');
}

/** "3 min", of a number of seconds. */
export function spanOf(seconds: number): string {
  for (const [unit, length] of steps)
    if (seconds >= length * 2) return `${Math.floor(seconds / length)} ${unit}s`;
  return `${Math.round(seconds)} s`;
}

type Props = { at: string | null | undefined; none?: string; withDistance?: boolean };

/** A time in the viewer's zone; its title is UTC. */
export function Time({ at, none = '–', withDistance = false }: Props) {
  if (at === null || at === undefined) return <>{none}</>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={`${at.replace('T', ' ').replace('Z', '')} UTC`} className="time">
      <span className="moment">{inZone.format(date)}</span>
      {withDistance ? (
        <Text span c="dimmed" size="sm">
          {' '}
          <span className="moment">({fromNow(date)})</span>
        </Text>
      ) : null}
    </time>
  );
}
