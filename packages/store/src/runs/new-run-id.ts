import { randomUUID } from 'node:crypto';

export const newRunId = (): string => `run_${randomUUID().replaceAll('-', '')}`;
