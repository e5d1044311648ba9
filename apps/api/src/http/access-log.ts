import type { Logger } from '@billing/platform';

/** Successful answers logged in one second and process: all of a quiet service, a sample of a busy one. */
const maxPerSecond = 20;

/**
 * The access log. Every refusal and failure is logged; of successful answers only so many a second, as a line costs
 * more than accepting a webhook does. `not_logged`: how many were left out since the line before. Counts and times of
 * all are in the metrics.
 */
export function createAccessLog({ logger }: { logger: Logger }) {
  let second = 0;
  let logged = 0;
  let notLogged = 0;
  return {
    /** Whether this answer is to be logged. Asked once for each answer, before its line is put together. */
    wants(statusCode: number, isAborted: boolean): boolean {
      if (statusCode >= 400 || isAborted) return true;
      const current = Math.floor(performance.now() / 1000);
      if (current !== second) {
        second = current;
        logged = 0;
      }
      if (logged >= maxPerSecond) {
        notLogged += 1;
        return false;
      }
      logged += 1;
      return true;
    },
    write(fields: Record<string, unknown>): void {
      logger.info('request_finished', notLogged === 0 ? fields : { ...fields, not_logged: notLogged });
      notLogged = 0;
    },
  };
}
