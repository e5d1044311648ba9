export type Repeated = { stop: () => Promise<void> };

/** Does `work` again and again in the background; `stop` waits for the last turn and passes its error on. */
export function repeat(work: () => Promise<unknown>): Repeated {
  const ending = new AbortController();
  const running = (async () => {
    while (!ending.signal.aborted) await work();
  })();
  // Reported by `stop`; until then it must not end the process.
  running.catch(() => undefined);
  return {
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}
