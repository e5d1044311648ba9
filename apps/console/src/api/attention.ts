import { waitMsOf } from './problem.ts';
import { queryClient } from './query-client.ts';

/** How often what may change is read again while its page is open, seen, and somebody is there. */
export const refreshMs = 10_000;
/** A page that nobody touches must not keep the session alive: it would never be idle. */
const attentionMs = 5 * 60_000;
let touchedAt = Date.now();

const isAttended = (): boolean => Date.now() - touchedAt < attentionMs;

/** When to read again, after what came of the last time; false: not before somebody is there. */
export const refreshInterval = (error: Error | null): number | false =>
  isAttended() ? Math.max(refreshMs, waitMsOf(error)) : false;

function touch(): void {
  const wasAttended = isAttended();
  touchedAt = Date.now();
  if (!wasAttended)
    void queryClient.invalidateQueries({ predicate: ({ meta }) => meta?.['isAudited'] !== true });
}

/** Notices who uses the page. After a pause what it shows is read anew. */
export function watchAttention(): void {
  for (const type of ['pointerdown', 'keydown', 'wheel']) addEventListener(type, touch, { passive: true });
}
