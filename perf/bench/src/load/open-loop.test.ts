import { createServer } from 'node:http';
import { once } from 'node:events';
import { failOnFailed, openLoop } from './open-loop.ts';

describe('the open loop', () => {
  it('sends at a fixed rate while nothing is answered, and measures the wait', async () => {
    const waiting: (() => void)[] = [];
    const server = createServer((_request, response) => {
      waiting.push(() => response.end());
      if (waiting.length === 20) for (const release of waiting) release();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const result = await openLoop({
      perSecond: 100,
      seconds: 0.2,
      request: async () => void (await (await fetch(`http://127.0.0.1:${port}`)).text()),
    });
    expect(result.count).toBe(20);
    expect(result.failed).toBe(0);
    // The first was sent 190 ms before the last, for which all waited.
    expect(result.max).toBeGreaterThanOrEqual(180);
    server.closeAllConnections();
    server.close();
  });

  it('counts failures', async () => {
    const result = await openLoop({
      perSecond: 1_000,
      seconds: 0.01,
      request: (number) => (number % 2 === 0 ? Promise.resolve() : Promise.reject(new Error('no'))),
    });
    expect([result.count, result.failed]).toEqual([5, 5]);
    expect(() => failOnFailed(result, 'requests')).toThrow('5 requests failed. The first: no');
  });

  it('measures a request that was sent early from its sending', async () => {
    const waited: number[] = [];
    const { max, p50 } = await openLoop({
      perSecond: 400,
      seconds: 0.25,
      request: (_number, since) => {
        waited.push(performance.now() - since);
        return Promise.resolve();
      },
    });
    expect(Math.min(...waited)).toBeGreaterThanOrEqual(0);
    expect(p50).toBeGreaterThanOrEqual(0);
    expect(max).toBeGreaterThanOrEqual(Math.max(...waited));
  });
});
