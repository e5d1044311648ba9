import type { ApiKeyRecord } from '../keys/find-api-key.ts';

/** `readAt`: monotonic milliseconds, taken before Postgres was asked. */
export type KnownKey = { record: ApiKeyRecord; readAt: number; reportedAt: number };

const maxRecords = 10_000;
const minuteMs = 60_000;

export type KeyRecordsOptions = {
  /** Called at a record's first read, then at most once a minute: for what need not happen at each. */
  onMinute: (digest: string, record: ApiKeyRecord) => void;
};

/** The API key records in this process's memory, by digest; bounded, the oldest leaves first. */
export function createKeyRecords({ onMinute }: KeyRecordsOptions) {
  const known = new Map<string, KnownKey>();
  return {
    get: (digest: string): KnownKey | undefined => known.get(digest),
    has: (digest: string): boolean => known.has(digest),
    /** True if it was known. */
    forget: (digest: string): boolean => known.delete(digest),
    remember(digest: string, record: ApiKeyRecord, readAt: number): void {
      const before = known.get(digest);
      if (before === undefined && known.size >= maxRecords) {
        const oldest = known.keys().next();
        if (oldest.done !== true) known.delete(oldest.value);
      }
      const isDue = before === undefined || readAt - before.reportedAt > minuteMs;
      known.set(digest, { record, readAt, reportedAt: isDue ? readAt : before.reportedAt });
      if (isDue) onMinute(digest, record);
    },
  };
}
