import { workerNodeArguments } from '@billing/testing';
import { Stripe } from 'stripe';
import { adminSecret, createApiClient, webhookSecret } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { startDependencies } from './dependencies.ts';
import type { Dependencies, DependencyOptions } from './dependencies.ts';
import { startLoadBalancer } from './load-balancer.ts';
import type { LoadBalancer } from './load-balancer.ts';
import type { Side } from './proxies.ts';
import { createServiceProcess, takePort } from './service-process.ts';
import type { ServiceProcess } from './service-process.ts';

export type StackOptions = DependencyOptions & {
  /** Added to the environment of our processes. */
  env?: Record<string, string>;
  /** False: the dependencies are started, and our processes are not. */
  isStarted?: boolean;
};

export type Stack = Dependencies & {
  apis: readonly [ServiceProcess, ServiceProcess];
  workers: readonly [ServiceProcess, ServiceProcess];
  balancer: LoadBalancer;
  /** A control call of the offline Stripe. */
  control: (path: string, body?: object) => Promise<unknown>;
  /** Starts those of our processes that do not run, and waits until they are ready. */
  startProcesses: () => Promise<void>;
  /** One more API, outside of the load balancer, on the proxies of one side. */
  addApi: (through: Side) => Promise<ServiceProcess>;
  /** Of each API process. */
  clients: readonly [ApiClient, ApiClient];
  /** Through the load balancer. */
  anyApi: ApiClient;
  /** Stripe's API, past the proxies. */
  stripeApi: Stripe;
};

const sharedEnv: Record<string, string> = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'info',
  DATABASE_POOL_SIZE: '5',
  ADMIN_API_KEY: `faults:${adminSecret}`,
  STRIPE_READS_PER_SECOND: '100',
  EVENT_SWEEP_SECONDS: '2',
};

/** Two APIs behind a load balancer and two workers, each a process from the build, on dependencies that can break. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dependencies = await startDependencies(options, webhookSecret);
  const env = { ...sharedEnv, ...options.env };

  /** `through`: the side whose proxies it uses. */
  async function create(side: Side, index: number, through: Side = side): Promise<ServiceProcess> {
    const port = await takePort();
    return createServiceProcess({
      name: `${side}-${index}`,
      script: `apps/${side}/dist/main.js`,
      port,
      dir: dependencies.dir,
      ...(side === 'worker' && { nodeArguments: workerNodeArguments }),
      env: {
        ...dependencies.environmentOf(through),
        ...env,
        [side === 'api' ? 'PORT' : 'WORKER_PORT']: String(port),
      },
    });
  }
  const apis = [await create('api', 1), await create('api', 2)] as const;
  const workers = [await create('worker', 1), await create('worker', 2)] as const;
  const added: ServiceProcess[] = [];
  const balancer = await startLoadBalancer(apis.map((api) => api.port));
  const stripeUrl = dependencies.stripe.url;

  async function control(path: string, body: object = {}): Promise<unknown> {
    const response = await fetch(`${stripeUrl}/_offline${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`control ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async function startProcesses(): Promise<void> {
    const all = [...apis, ...workers].filter((process) => !process.isRunning());
    await Promise.all(all.map((process) => process.start()));
    await Promise.all(all.map((process) => process.untilReady(60_000)));
  }

  await dependencies.stripe.untilReady(30_000);
  await control('/webhooks', { url: `${balancer.url}/api/v1/webhooks/stripe` });
  if (options.isStarted !== false) await startProcesses();

  return {
    ...dependencies,
    apis,
    workers,
    balancer,
    control,
    startProcesses,
    addApi: async (through) => {
      const process = await create('api', 3 + added.length, through);
      added.push(process);
      await process.start();
      await process.untilReady();
      return process;
    },
    clients: [createApiClient(apis[0].url), createApiClient(apis[1].url)] as const,
    anyApi: createApiClient(balancer.url),
    stripeApi: new Stripe('sk_test_of_the_test', {
      host: '127.0.0.1',
      port: dependencies.stripe.port,
      protocol: 'http',
      telemetry: false,
    }),
    close: async () => {
      await Promise.all([...apis, ...workers, ...added].map((process) => process.kill('SIGKILL')));
      await balancer.close();
      await dependencies.close();
    },
  };
}
