import { parentPort, workerData } from 'node:worker_threads';
import { createTestProxy } from '../../../tools/testing/dist/test-proxy.js';

// The proxies of a stack, away from the event loop of its test: hundreds of requests there would make every answer of
// Redis and Postgres late here.
const proxies = new Map();
for (const { name, ...target } of workerData) proxies.set(name, await createTestProxy(target));

async function answer({ id, name, method, args }) {
  try {
    parentPort.postMessage({ id, result: await proxies.get(name)[method](...args) });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) });
  }
}

parentPort.on('message', (call) => void answer(call));
parentPort.postMessage({ id: 0 });
