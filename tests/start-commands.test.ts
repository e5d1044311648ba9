import { readFileSync } from 'node:fs';
import { appNodeArguments } from '@billing/testing';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test.each([
  ['package.json', 'apps/api/dist/main.js'],
  ['package.json', 'apps/worker/dist/main.js'],
  ['Dockerfile', 'apps/$APP/dist/main.js'],
])('%s starts %s with the limits that everything is measured with', (path, script) => {
  const [line = ''] = read(path)
    .split('\n')
    .filter((one) => one.includes(script));
  expect(line.replaceAll('\\"', '')).toContain(`node ${[...appNodeArguments, script].join(' ')}`);
});
