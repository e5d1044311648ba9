import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { answer } from './answers.test-support.ts';
import { json, problem, startScriptedService } from './scripted-service.test-support.ts';
import type { ScriptedService } from './scripted-service.test-support.ts';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));
const tools = join(repositoryRoot, 'node_modules', '.bin');

let folder: string;
let project: string;
let service: ScriptedService;

/** Runs a command in `cwd`; a failure shows what it printed. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const env = { PATH: `${tools}${delimiter}${process.env['PATH']}`, HOME: folder };
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env, timeout: 60_000 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error([`${command} ${args.join(' ')}`, stdout, stderr].join('\n'), { cause: error });
  }
}

/** Packs a copy, so that a build that runs meanwhile in the checkout is not disturbed. */
async function pack(): Promise<string> {
  const copy = join(folder, 'packages', 'client');
  await mkdir(join(folder, 'packages'));
  await cp(join(repositoryRoot, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
  await cp(packageRoot, copy, {
    recursive: true,
    filter: (path) => !/\/(dist|\.turbo|node_modules)$/.test(path),
  });
  await run(copy, 'npm', 'pack', '--silent', '--pack-destination', folder);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  return join(folder, tarball ?? 'no tarball was made');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'billing-client-'));
  project = join(folder, 'product');
  service = await startScriptedService();
  const tarball = await pack();
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "name": "product", "private": true }');
  await run(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', '--silent', tarball);
}, 120_000);

afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

test('the package alone is installed, and holds no tests', async () => {
  const installed = await readdir(join(project, 'node_modules'), { recursive: true });
  expect(installed.filter((name) => /^(@[^/]+\/)?[^@./][^/]*$/.test(name))).toEqual(['@billing/client']);
  expect(installed.filter((name) => /\.test(-support)?\./.test(name))).toEqual([]);
  const files = [
    'README.md',
    'LICENSE',
    'dist/esm/index.d.ts',
    'dist/cjs/index.d.ts',
    'dist/cjs/package.json',
  ];
  expect(installed).toEqual(expect.arrayContaining(files.map((name) => `@billing/client/${name}`)));
});

test('no file of the build names another package', async () => {
  const dist = join(project, 'node_modules', '@billing', 'client', 'dist');
  const names = (await readdir(dist, { recursive: true })).filter((name) => /\.(js|d\.ts)$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(dist, name), 'utf8')));
  const imported = texts.flatMap((text) =>
    [...text.matchAll(/(?:from|import\(|require\()\s*['"]([^'"]+)['"]/g)].map((match) => match[1] ?? ''),
  );
  expect(imported.length).toBeGreaterThan(10);
  expect(imported.filter((name) => !name.startsWith('./'))).toEqual([]);
});

const use = `
const billing = createBillingClient({ baseUrl: process.argv[2], apiKey: 'proj_1', retries: 0 });
billing.can('user_1', 'premium_export').then(
  (may) => console.log('answer', may),
  (error) => console.log('error', isBillingError(error), error instanceof BillingError, error.code),
);`;

describe.each([
  ['use.mjs', `import { BillingError, createBillingClient, isBillingError } from '@billing/client';`],
  ['use.cjs', `const { BillingError, createBillingClient, isBillingError } = require('@billing/client');`],
])('%s', (file, load) => {
  test.each([
    { step: json(answer()), printed: 'answer true' },
    { step: problem(401, 'invalid_api_key'), printed: 'error true true invalid_api_key' },
  ])('prints $printed', async ({ step, printed }) => {
    service.script(step);
    await writeFile(join(project, file), `${load}\n${use}`);
    expect((await run(project, process.execPath, file, service.url)).trim()).toBe(printed);
  });
});

const typed = `
const billing: BillingClient = createBillingClient({ baseUrl: 'https://billing.internal', apiKey: 'proj_1', fetch: globalThis.fetch });
export const until: Promise<(string | null)[]> = billing
  .entitlements('user_1', { featureCode: 'premium_export' })
  .then((answer) => answer.entitlements.map((one) => one.valid_to));
// @ts-expect-error a feature must be named
void billing.can('user_1');
// @ts-expect-error no such mode
void billing.createCheckout({ user_id: 'u', price_id: 'p', mode: 'rent', success_url: '', cancel_url: '' });
`;

describe.each([
  { name: 'with the DOM library', options: { types: [] } },
  {
    name: 'with the types of Node alone',
    options: {
      lib: ['ES2022'],
      types: ['node'],
      typeRoots: [join(repositoryRoot, 'node_modules', '@types')],
    },
  },
])('TypeScript, strict to the last, $name', ({ options }) => {
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  const check = (files: string[], more: object = {}) =>
    writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, ...more }, files }),
    ).then(() => run(project, 'tsc', '-p', '.'));

  test('understands the package from ESM and CommonJS', async () => {
    const load = `import { createBillingClient } from '@billing/client';\nimport type { BillingClient } from '@billing/client';`;
    await writeFile(join(project, 'typed.mts'), `${load}\n${typed}`);
    await writeFile(join(project, 'typed.cts'), `${load}\n${typed}`);
    await expect(check(['typed.mts', 'typed.cts'])).resolves.toBe('');
    await expect(check(['typed.mts'], { module: 'ESNext', moduleResolution: 'Bundler' })).resolves.toBe('');
    // Two compilers one after the other, beside other suites on the same cores.
  }, 120_000);
});

test('every TypeScript example of the README compiles', async () => {
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  expect(examples.length).toBeGreaterThanOrEqual(5);
  const files = examples.map((_, index) => `example-${index}.mts`);
  await Promise.all(files.map((file, index) => writeFile(join(project, file), examples[index] ?? '')));
  const compilerOptions = {
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(repositoryRoot, 'node_modules', '@types')],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await expect(run(project, 'tsc', '-p', '.')).resolves.toBe('');
});
