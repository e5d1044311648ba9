/**
 * How Node runs API and worker, as in `package.json` (start:api, start:worker) and the Dockerfile. Without a limit V8
 * lets its heap grow to several times what is in use before it collects. They need some 80 MiB of it at full load.
 */
export const appNodeArguments = ['--max-old-space-size=512'] as const;
