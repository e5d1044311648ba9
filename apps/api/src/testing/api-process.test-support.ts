import { spawnApp } from '@billing/testing';
import type { AppProcess } from '@billing/testing';

/** One process, or several: `API_PROCESSES`. */
export const spawnApi = (env: Record<string, string>): Promise<AppProcess> => spawnApp('api', env);
