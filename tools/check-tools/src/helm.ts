import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Check } from './check.ts';
import { buildFromGo, installFromNpm, root, runTool, tryTool } from './run-tool.ts';

const chart = join(root, 'deploy/helm/billing');

const values = [
  'image.repository=ghcr.io/example/billing',
  'secrets.name=billing',
  'tls.secretName=billing-tls',
  'worker.keda.enabled=true',
  'serviceMonitor.enabled=true',
];

/** Values that the chart must refuse, each instead of a right one. */
const refused = [
  'image.repository=',
  'secrets.name=',
  'config.STRIPE_SECRET_KEY=sk_live_x',
  'api.config.ADMIN_API_KEY=x',
  'api.preStopSeconds=30',
  'api.shutdownDelaySeconds=21',
];

const environment = z.array(
  z.object({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() }),
);
const container = z.object({
  name: z.string(),
  image: z.string(),
  env: environment,
  securityContext: z.object({
    readOnlyRootFilesystem: z.literal(true),
    allowPrivilegeEscalation: z.literal(false),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  resources: z.object({ requests: z.object({ cpu: z.string(), memory: z.string() }) }),
});
const podSpec = z.object({
  automountServiceAccountToken: z.literal(false),
  securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.literal(1000) }),
  containers: z.tuple([container]),
});
const workload = z.object({ spec: z.object({ template: z.object({ spec: podSpec }) }) });

/** What each kind must say, beyond being valid; `name` without the release's. */
const mustSay: Record<string, z.ZodType> = {
  'Deployment api': z.object({
    spec: z.object({
      replicas: z.undefined().optional(),
      template: z.object({
        spec: z.object({
          terminationGracePeriodSeconds: z.literal(45),
          containers: z.tuple([
            z.object({ lifecycle: z.object({ preStop: z.object({ exec: z.looseObject({}) }) }) }),
          ]),
        }),
      }),
    }),
  }),
  'Deployment worker': z.object({
    spec: z.object({
      replicas: z.undefined().optional(),
      template: z.object({ spec: z.object({ terminationGracePeriodSeconds: z.literal(45) }) }),
    }),
  }),
  'Job migrate': z.object({
    metadata: z.object({
      annotations: z.object({ 'helm.sh/hook': z.literal('pre-install,pre-upgrade') }),
    }),
  }),
  'PodDisruptionBudget api': z.object({ spec: z.object({ maxUnavailable: z.literal(1) }) }),
  'PodDisruptionBudget worker': z.object({ spec: z.object({ maxUnavailable: z.literal(1) }) }),
  'HorizontalPodAutoscaler api': z.object({
    spec: z.object({ metrics: z.tuple([z.object({ resource: z.object({ name: z.literal('cpu') }) })]) }),
  }),
  'ScaledObject worker': z.object({
    spec: z.object({
      triggers: z.tuple([
        z.object({
          type: z.literal('prometheus'),
          metadata: z.object({ query: z.string().includes('bullmq_oldest_waiting_seconds') }),
        }),
      ]),
    }),
  }),
  'ServiceMonitor api': z.looseObject({}),
  'ServiceMonitor worker': z.looseObject({}),
  'NetworkPolicy api': z.looseObject({}),
  'NetworkPolicy worker': z.looseObject({}),
  'NetworkPolicy migrate': z.looseObject({}),
};

const resource = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
type Resource = z.output<typeof resource>;

/** Complaints about what was rendered. */
function complaints(resources: readonly Resource[]): string[] {
  const named = new Map(resources.map((one) => [`${one.kind} ${one.metadata.name.split('-').at(-1)}`, one]));
  const said = Object.entries(mustSay).flatMap(([name, schema]) => problems(name, schema, named.get(name)));
  const pods = resources.filter((one) => ['Deployment', 'Job'].includes(one.kind));
  const hardened = pods.flatMap((one) => problems(one.metadata.name, workload, one));
  const secrets = pods.flatMap((one) => {
    const { success, data } = workload.safeParse(one);
    return success ? secretsWithValue(data.spec.template.spec.containers[0].env) : [];
  });
  return [...said, ...hardened, ...secrets.map((name) => `${name} has a value in place of a reference`)];
}

function problems(name: string, schema: z.ZodType, value: unknown): string[] {
  const { success, error } = schema.safeParse(value);
  return success ? [] : error.issues.map(({ path, message }) => `${name}: ${path.join('.')}: ${message}`);
}

const secretsWithValue = (env: z.output<typeof environment>): string[] =>
  env
    .filter(({ name, value }) => /URL|SECRET|KEY|TOKEN/.test(name) && value !== undefined)
    .map((one) => one.name);

/** Helm renders the chart, and Kubernetes' own types and schemas have nothing to say about it. */
export const helm: Check = {
  name: 'Helm chart',
  source: 'go',
  needs: ['go'],
  run: async () => {
    const program = await buildFromGo({
      name: 'helm',
      version: 'v3.21.3',
      package: 'helm.sh/helm/v3/cmd/helm',
    });
    const template = (more: readonly string[] = []) =>
      tryTool(program, [
        'template',
        'billing',
        chart,
        '--namespace=shop',
        '--kube-version=1.30.0',
        ...[...values, ...more].flatMap((value) => ['--set', value]),
      ]);
    const lint = ['lint', chart, '--strict', '--kube-version', '1.30.0'];
    await runTool(program, [...lint, ...values.flatMap((value) => ['--set', value])]);
    const rendered = await template();
    if (rendered.code !== 0) throw new Error(rendered.output);
    const resources = await validate(rendered.stdout);
    const found = complaints(resources);
    if (found.length > 0) throw new Error(found.join('\n'));
    for (const wrong of refused)
      if ((await template([wrong])).code === 0) throw new Error(`The chart takes ${wrong}.`);
    return `${resources.length} resources, ${refused.length} wrong values refused`;
  },
};

/** Against the schemas of `kubernetes-models`, then by the compiler against its types, which know no other fields. */
async function validate(rendered: string): Promise<Resource[]> {
  const programs = await installFromNpm('kubernetes-models', '4.5.1', [
    '@kubernetes-models/keda@0.4.2',
    '@kubernetes-models/prometheus-operator@4.4.2',
    'yaml@2.8.1',
  ]);
  const folder = join(programs, '../..');
  copyFileSync(join(root, 'tools/check-tools/validate-resources.js'), join(folder, 'validate-resources.mjs'));
  const { stdout } = await runTool(process.execPath, ['validate-resources.mjs'], {
    cwd: folder,
    input: rendered,
  });
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2022',
  ];
  await runTool(join(root, 'node_modules/.bin/tsc'), [...options, 'resources.ts'], { cwd: folder });
  return z.array(resource).parse(JSON.parse(stdout));
}
