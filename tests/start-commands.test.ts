import { readFileSync } from 'node:fs';
import { appNodeArguments, workerNodeArguments } from '@billing/testing';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test.each([
  ['package.json', 'apps/api/dist/main.js', appNodeArguments],
  ['package.json', 'apps/worker/dist/main.js', workerNodeArguments],
  ['Dockerfile', 'apps/$APP/dist/main.js', appNodeArguments],
  ['Dockerfile', 'apps/worker/dist/main.js', workerNodeArguments],
])('%s starts %s with the limits that everything is measured with', (path, script, nodeArguments) => {
  const [line = ''] = read(path)
    .split('\n')
    .filter((one) => one.includes(script));
  expect(line.replaceAll('\\"', '')).toContain(`node ${[...nodeArguments, script].join(' ')}`);
});
