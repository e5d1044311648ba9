import { PassThrough } from 'node:stream';
import { queueNames } from '@billing/domain';
import { createLogger, createQueue } from '@billing/platform';
import { createTestProxy, startTestRedis, waitFor } from '@billing/testing';
import { createScheduleKeeper } from './schedules.ts';

it('recreates the schedules after the connection died silently during a request', async () => {
  const redis = await startTestRedis();
  const proxy = await createTestProxy({ port: redis.port });
  const destination = new PassThrough().resume();
  const logger = createLogger({ service: 'test', level: 'error', format: 'json', destination });
  const queueOf = (url: string) => createQueue({ url, name: queueNames.maintenance, prefix: 'bull', logger });
  const [maintenance, direct] = [queueOf(proxy.urlFor(redis.url)), queueOf(redis.url)];
  await waitFor(() => maintenance.ready() && direct.ready(), { what: 'the queues' });
  const keep = createScheduleKeeper({
    maintenance,
    logger,
    sweepIntervalMs: 60_000,
    reconcileCron: '0 2 * * *',
  });
  const schedules = async (): Promise<string[]> =>
    (await direct.bull.getJobSchedulers()).map(({ key }) => key).sort();
  await keep();
  expect(await schedules()).toEqual(['reconcile', 'retention', 'sweep']);

  await proxy.setMode('half_open');
  await expect(keep()).rejects.toThrow('did not answer');
  await direct.bull.obliterate({ force: true });
  await proxy.setMode('pass');
  await waitFor(
    async () => {
      await keep().catch(() => undefined);
      return (await schedules()).length === 3;
    },
    { what: 'the schedules', timeoutMs: 30_000 },
  );

  await Promise.all([maintenance.close(), direct.close()]);
  await proxy.close();
  await redis.stop();
});
