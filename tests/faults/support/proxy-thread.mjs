import { parentPort, workerData } from 'node:worker_threads';
import { createTestProxy } from '../../../tools/testing/dist/services/test-proxy.js';

// The proxies of a stack, in a thread of their own: hundreds of requests on the test's event loop would make every
// answer of Redis and Postgres late.
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
