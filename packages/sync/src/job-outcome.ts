/** What a job came to: done, or back to the queue for a while. */
export type JobOutcome = { kind: 'done' } | { kind: 'later'; pauseMs: number; data?: object };
