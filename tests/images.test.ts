import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dockerfiles, linesOf, read } from './repository-files.test-support.ts';

const nodeLine = read('.nvmrc').trim();

test.each(dockerfiles)(
  '%s starts from a digest of the Node version in .nvmrc and ends without root',
  (path) => {
    const [base = ''] = linesOf(path, /^ARG NODE_IMAGE=/);
    // As the Dockerfile's own argument says, unless a build names another.
    const images = linesOf(path, /^FROM/).map((line) =>
      line
        .replace('--platform=$BUILDPLATFORM ', '')
        .replace('FROM ${NODE_IMAGE}', base.replace('ARG NODE_IMAGE=', 'FROM ')),
    );
    expect(images.length).toBeGreaterThan(0);
    for (const image of images) {
      expect(image).toMatch(/^FROM \S+:\d+\.\d+\.\d+\S*@sha256:[0-9a-f]{64}\b/);
      expect(image).toContain(`FROM node:${nodeLine}.`);
    }
    expect(linesOf(path, /^USER/).at(-1)).toBe('USER 1000:1000');
  },
);

const manifest = z.object({ dependencies: z.record(z.string(), z.string()).optional() });

/** The packages of this repository that a folder's package needs to run, with their own. */
function packagesBelow(folder: string): string[] {
  const { dependencies = {} } = manifest.parse(JSON.parse(read(`${folder}/package.json`)));
  const own = Object.keys(dependencies).filter((name) => name.startsWith('@billing/'));
  return own.flatMap((name) => {
    const below = name.replace('@billing/', 'packages/');
    return [below, ...packagesBelow(below)];
  });
}

test.each(['apps/api', 'apps/worker'])('the image of %s contains every package that it needs', (app) => {
  const dockerfile = read('Dockerfile');
  for (const folder of packagesBelow(app)) {
    expect(dockerfile).toContain(`COPY ${folder}/package.json ${folder}/\n`);
    expect(dockerfile).toContain(`COPY --from=build /repo/${folder}/dist ${folder}/dist\n`);
  }
});

test.each(dockerfiles)(
  'the last stage of %s takes nothing but named outputs, and no development package',
  (path) => {
    const stages = read(path).split(/^FROM /m);
    const last = stages.at(-1) ?? '';
    for (const line of last.split('\n').filter((one) => /^(?:COPY|ADD)\b/.test(one)))
      expect(line).toMatch(
        /^COPY (?:--from=production-modules \/repo\/ \.\/|--from=build \/repo\/\S+\/dist \S+\/dist|prisma prisma)$/,
      );
    const modules = stages.find((stage) => stage.includes(' AS production-modules\n')) ?? '';
    expect(modules).toContain('npm ci --omit=dev --omit=peer --omit=optional --ignore-scripts ');
    for (const line of modules.split('\n').filter((one) => one.startsWith('COPY')))
      expect(line).toMatch(/package(?:-lock)?\.json/);
  },
);

/** Whether `.dockerignore` keeps a path out of the build; the patterns that this repository uses. */
function isIgnored(path: string): boolean {
  const toPattern = (line: string) => {
    const parts = line
      .split(/(\*\*\/|\*)/)
      .map((part) => ({ '**/': '(?:.*/)?', '*': '[^/]*' })[part] ?? part.replaceAll('.', String.raw`\.`));
    return new RegExp(`^${parts.join('')}(?:/.*)?$`);
  };
  return linesOf('.dockerignore', /^[^#\s]/).reduce(
    (ignored, line) =>
      line.startsWith('!')
        ? ignored && !toPattern(line.slice(1)).test(path)
        : ignored || toPattern(line).test(path),
    false,
  );
}

test.each([
  ['.env', true],
  ['apps/api/.env', true],
  ['.env.production', true],
  ['.env.example', false],
  ['.git/config', true],
  ['.local/secrets.json', true],
  ['secrets/admin_api_key', true],
  ['deploy/secrets/key', true],
  ['certificates/client.key', true],
  ['ca.pem', true],
  ['node_modules/x/index.js', true],
  ['apps/api/node_modules/x/index.js', true],
  ['apps/api/src/main.test.ts', true],
  ['apps/api/src/testing/start-test-api.test-support.ts', true],
  ['tests/faults/run.ts', true],
  ['docs/security.md', true],
  ['apps/api/src/main.ts', false],
  ['prisma/schema.prisma', false],
  ['package-lock.json', false],
])('the build of an image is kept from %s: %s', (path, expected) => expect(isIgnored(path)).toBe(expected));

describe('.ci/check-image', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'billing-image-'));
    chmodSync(folder, 0o755);
    for (const [path, text] of Object.entries({
      'package.json': '{}',
      'apps/api/dist/main.js': '',
      'packages/domain/dist/index.d.ts': '',
      'prisma/schema.prisma': '',
      'node_modules/zod/index.test.js': '',
    }))
      write(path, text);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(path: string, text = ''): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  /** Lines that it writes; whoever runs the test owns the files and may be root, which it says of itself. */
  function complaints(): string[] {
    const script = fileURLToPath(new URL('../.ci/check-image', import.meta.url));
    const { stderr } = spawnSync('sh', [script], {
      env: { PATH: process.env['PATH'], REPO: folder },
      encoding: 'utf8',
    });
    return stderr.split('\n').filter((line) => line !== '' && !/^(?:runs as root|may write)/.test(line));
  }

  test('finds nothing in what an image should hold', () => expect(complaints()).toEqual([]));

  test.each([
    ['.env', 'holds .env'],
    ['.git/HEAD', 'holds .git'],
    ['apps/api/.env', 'holds ./apps/api/.env'],
    ['apps/api/dist/main.test.js', 'holds ./apps/api/dist/main.test.js'],
    ['apps/api/src/main.ts', 'holds ./apps/api/src/main.ts'],
    ['client.key', 'holds ./client.key'],
    ['node_modules/jest/package.json', 'holds the development package jest'],
    ['tests/words.js', 'holds tests'],
    ['node_modules/a/build/a.node', 'holds the native module node_modules/a/build/a.node'],
  ])('finds %s', (path, complaint) => {
    write(path);
    expect(complaints()).toContain(complaint);
  });
});
