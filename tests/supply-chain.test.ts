import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dockerfiles, linesOf, read } from './repository-files.test-support.ts';

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

test.each(workflows)('%s runs no script of a dependency when it installs', (path) => {
  const installs = linesOf(path, /\bnpm (?:ci|install|i)\b|\bnpx\b/);
  for (const line of installs) expect(line).toContain('npm ci --ignore-scripts ');
});

test('.ci/run and the images install without scripts, and generate what they need by a step of its own', () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(read('package.json')));
  expect(scripts['install:without-scripts']).toMatch(
    /^npm ci --ignore-scripts .*&& npm run --silent db:generate$/,
  );
  expect(linesOf('.ci/run', /npm ci /)).toEqual([]);
  expect(read('.ci/run')).toContain('npm run --silent install:without-scripts\n');
  for (const path of dockerfiles)
    for (const line of linesOf(path, /npm ci|install:/))
      expect(line).toMatch(/--ignore-scripts|install:without-scripts/);
});

/** The jobs of a workflow by name. */
function jobsOf(path: string): Map<string, string> {
  const [, jobs = ''] = read(path).split(/^jobs:\n/m);
  return new Map(
    [...jobs.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)].map(([, name = '', body = '']) => [
      name,
      body,
    ]),
  );
}

test('no job that may release anything installs, builds or checks out packages', () => {
  const mayWrite = workflows.flatMap((path) =>
    [...jobsOf(path)].filter(([, body]) =>
      /^ {6}(?:contents|packages|id-token|attestations): write$/m.test(body),
    ),
  );
  expect(mayWrite.map(([name]) => name).sort()).toEqual(['images', 'publish']);
  // The image is built by BuildKit, in containers that have neither the job's token nor its network identity.
  for (const [, body] of mayWrite) expect(body).not.toMatch(/\bnpm\b|\bnpx\b|setup-node|\.ci\/run/);
  const publish = jobsOf('.github/workflows/release.yml').get('publish') ?? '';
  expect(publish).toContain('needs: [images, package]\n');
  expect(publish).not.toContain('actions/checkout');
});

test('signatures of packages are checked, code is analysed and images are scanned', () => {
  expect(read('.github/workflows/ci.yml')).toContain('- run: npm audit signatures\n');
  expect(read('.github/workflows/release.yml')).toContain('- run: npm audit signatures\n');
  const { codeql, images } = Object.fromEntries(jobsOf('.github/workflows/security.yml'));
  expect(codeql).toContain('github/codeql-action/analyze@');
  expect(images).toContain('aquasecurity/trivy-action@');
  expect(images).toContain('.ci/check-image');
});

test('a release carries a security.txt as RFC 9116 wants it', () => {
  const script = fileURLToPath(new URL('../.ci/security-txt', import.meta.url));
  const text = execFileSync('sh', [script, 'acme/billing'], { encoding: 'utf8' });
  expect(text).toContain('Contact: https://github.com/acme/billing/security/advisories/new\n');
  const expires = Date.parse(/^Expires: (\S+)$/m.exec(text)?.[1] ?? '');
  expect((expires - Date.now()) / 86_400_000).toBeCloseTo(364, 0);
  expect(text).not.toMatch(/<|^#/m);
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
