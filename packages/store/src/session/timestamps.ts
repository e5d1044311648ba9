/**
 * How an instant is written for Postgres: with its zone, so that the session's `TimeZone` is not asked, and in ISO 8601,
 * which every `DateStyle` reads alike. (Prisma's driver leaves the zone out.)
 */
export const writeTimestamp = (at: Date): string => at.toISOString();

const isoPattern =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/** A `timestamptz` came in a format of `DateStyle` that does not tell the instant for certain. */
export class UnclearTimestamp extends Error {
  override readonly name = 'UnclearTimestamp';
  constructor() {
    super('Postgres sent a timestamp that is not ISO 8601 with an offset: its DateStyle is not ISO.');
  }
}

/**
 * Reads a `timestamptz` as Postgres writes it where `DateStyle` is ISO, in the zone of any session, and returns it in
 * UTC. (Prisma's driver cuts the offset off.) Throws `UnclearTimestamp` for any other format: `03/04/2026 10:00:00 IST`
 * can be two days, and IST three zones.
 */
export function readTimestamp(text: string): string {
  const found = isoPattern.exec(text);
  if (found === null) throw new UnclearTimestamp();
  const [, year, month, day, hour, minute, second, fraction = '', sign, ...offset] = found;
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.slice(0, 3).padEnd(3, '0')),
  );
  const [hours = 0, minutes = 0, seconds = 0] = offset.map((part) => Number(part ?? 0));
  const offsetMs = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return new Date(sign === '-' ? local + offsetMs : local - offsetMs).toISOString();
}

/** A column, cast or expression without a zone would take the session's: there is none in this service. */
export function refuseZoneless(): never {
  throw new Error('A statement returned a timestamp without a zone: make it timestamptz, or milliseconds.');
}
