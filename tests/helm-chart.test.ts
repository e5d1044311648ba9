import { z } from 'zod';
import { linesOf, read } from './repository-files.test-support.ts';

// Rendering and validating it takes Helm: `npm run check:tools -- --only go`.

const chart = 'deploy/helm/billing';
const templates = ['api', 'worker', 'migrate'].map((name) => read(`${chart}/templates/${name}.yaml`));

test("the chart's images are those of this version", () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')));
  expect(linesOf(`${chart}/Chart.yaml`, /^appVersion:/)).toEqual([`appVersion: ${version}`]);
});

test('the chart sets only variables that the processes read', () => {
  const known = new Set(linesOf('.env.example', /^\w+=/).map((line) => line.split('=')[0]));
  const plain = templates.flatMap((text) => Array.from(text.matchAll(/\{ name: ([A-Z_]+), value/g)));
  const secret = templates.flatMap((text) => Array.from(text.matchAll(/"([A-Z_]+)" "[a-z]\w+"/g)));
  const names = [...plain, ...secret].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

test('what comes from the Secret cannot be set as plain text', () => {
  const schema = read(`${chart}/values.schema.json`);
  const secrets = templates.flatMap((text) =>
    Array.from(text.matchAll(/"([A-Z_]+)" "[a-z]\w+"/g), ([, name]) => name),
  );
  for (const name of secrets) expect(schema).toContain(`"${name}"`);
});

test('a pod has the time to end: preStop, then 25 s', () => {
  const values = read(`${chart}/values.yaml`);
  const numberOf = (name: string): number => Number(new RegExp(`^ *${name}: (\\d+)$`, 'm').exec(values)?.[1]);
  expect(numberOf('terminationGracePeriodSeconds')).toBe(45);
  expect(numberOf('preStopSeconds') + 25).toBeLessThanOrEqual(numberOf('terminationGracePeriodSeconds'));
  // Behind balancers that probe every 2 s and take a process out after two refusals.
  expect(numberOf('shutdownDelaySeconds')).toBeGreaterThanOrEqual(5);
});
