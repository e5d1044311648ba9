import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const linesOf = (path: string, pattern: RegExp): string[] =>
  read(path)
    .split('\n')
    .filter((line) => pattern.test(line));

const workflows = readdirSync(new URL('../.github/workflows', import.meta.url)).map(
  (name) => `.github/workflows/${name}`,
);

test.each(workflows)('%s pins each action to a commit and says which release that is', (path) => {
  const uses = linesOf(path, /\buses:/);
  expect(uses.length).toBeGreaterThan(0);
  for (const line of uses) expect(line).toMatch(/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test.each(workflows)('%s has read permissions only, unless a job asks for more', (path) => {
  expect(read(path)).toMatch(/^permissions:\n {2}contents: read\n/m);
});

const nodeLine = read('.nvmrc').trim();

test.each(['Dockerfile', 'tools/offline-stripe/Dockerfile'])(
  '%s starts from a digest of the Node version in .nvmrc and ends without root',
  (path) => {
    for (const line of linesOf(path, /^FROM/)) {
      expect(line).toMatch(/^FROM \S+:\d+\.\d+\.\d+\S*@sha256:[0-9a-f]{64}\b/);
      expect(line).toContain(`FROM node:${nodeLine}.`);
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

/** Images whose digest is not known are pinned to an exact version. */
const withoutDigest = /locustio\/locust:\d+\.\d+\.\d+$/;

test('every container of the compose file is hardened, and its image pinned', () => {
  const compose = read('docker-compose.yml');
  const services = [...compose.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)].filter(([, , body = '']) =>
    /^ {4}(?:image|build):/m.test(body),
  );
  const names = services.map(([, name = '']) => name);
  expect(names).toEqual(expect.arrayContaining(['postgres', 'api', 'worker', 'seed-load', 'locust']));
  const notHardened = services.filter(([, , body = '']) => !body.includes('<<: *hardened'));
  expect(notHardened.map(([, name]) => name)).toEqual([]);
  const images = linesOf('docker-compose.yml', /^ {4}image:/);
  const floating = images.filter((image) => !/:v?\d+\.\d+\S*@sha256:[0-9a-f]{64}$/.test(image));
  expect(floating.filter((image) => !withoutDigest.test(image))).toEqual([]);
  const hardened = /^x-hardened: &hardened\n((?: {2}.*\n)+)/m.exec(compose)?.[1];
  for (const rule of ['read_only: true', 'cap_drop: [ALL]', "security_opt: ['no-new-privileges:true']"])
    expect(hardened).toContain(`  ${rule}\n`);
});

test('the other containers reach the offline Stripe, and a browser reaches its pages', () => {
  const service = /^ {2}offline-stripe:\n((?: {4}.*\n)+)/m.exec(read('docker-compose.yml'))?.[1];
  expect(service).toContain('OFFLINE_STRIPE_HOST: 0.0.0.0\n');
  expect(service).toContain('OFFLINE_STRIPE_PUBLIC_URL: http://127.0.0.1:12111\n');
  expect(service).toContain("ports: ['127.0.0.1:12111:12111']\n");
});

test('every dependency has a version', () => {
  const manifests = ['package.json', 'perf/bench/package.json', 'perf/seed-load/package.json'];
  for (const folder of ['apps', 'packages', 'tools'])
    for (const name of readdirSync(new URL(`../${folder}`, import.meta.url)))
      manifests.push(`${folder}/${name}/package.json`);
  const floating = manifests.flatMap((path) =>
    linesOf(path, /^ {4}"(?!@billing\/)[^"]+": "(?:\*|latest|x|)"/).map((line) => `${path}: ${line.trim()}`),
  );
  expect(floating).toEqual([]);
});
