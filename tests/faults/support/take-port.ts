import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections: one of ours stays free while its process is dead. */
const first = 20_000;
const perWorker = 1_000;

const block = first + ((Number(process.env['JEST_WORKER_ID'] ?? '1') - 1) % 10) * perWorker;
let taken = (process.pid * 37) % perWorker;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/** A port that stays this test file's own while what listens there is stopped and started. */
export async function takePort(): Promise<number> {
  for (let tries = 0; tries < perWorker; tries += 1) {
    const port = block + (taken % perWorker);
    taken += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`No port is free from ${block} on.`);
}
