import type { Logger } from './logging/logger.ts';

export type ShutdownReason = 'SIGTERM' | 'SIGINT' | 'uncaught_exception' | 'unhandled_rejection';

export type ShutdownOptions = {
  readonly logger: Logger;
  /** From the signal to a forced exit with code 1; default 25 s. */
  readonly deadlineMs?: number;
  /** Stops accepting, finishes what is under way, closes connections. Called once. */
  readonly stop: (reason: ShutdownReason) => Promise<void>;
};

/**
 * Stops the process in order on SIGTERM or SIGINT (exit 0), and after an uncaught exception (exit 1): its state is
 * unknown then, and a supervisor starts a fresh one.
 */
export function runUntilSignal({ logger, deadlineMs = 25_000, stop }: ShutdownOptions): void {
  let isStopping = false;

  async function shutDown(reason: ShutdownReason, exitCode: number): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    const forced = setTimeout(() => {
      logger.error('shutdown_timed_out', { reason, deadline_ms: deadlineMs });
      process.exit(1);
    }, deadlineMs);
    forced.unref();
    logger.info('shutdown_started', { reason });
    try {
      await stop(reason);
      logger.info('shutdown_finished', { reason });
      process.exit(exitCode);
    } catch (error) {
      logger.error('shutdown_failed', { reason, error });
      process.exit(1);
    }
  }

  process.on('SIGTERM', () => void shutDown('SIGTERM', 0));
  process.on('SIGINT', () => void shutDown('SIGINT', 0));
  process.on('uncaughtException', (error) => {
    logger.error('uncaught_exception', { error });
    void shutDown('uncaught_exception', 1);
  });
  process.on('unhandledRejection', (error) => {
    logger.error('unhandled_rejection', { error });
    void shutDown('unhandled_rejection', 1);
  });
}
