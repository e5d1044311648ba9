import { readdirSync, readFileSync } from 'node:fs';

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

test.each(workflows)('%s may only read unless a job says otherwise', (path) => {
  expect(read(path)).toMatch(/^permissions:\n {2}contents: read\n/m);
});

test.each(['Dockerfile', 'packages/offline-stripe/Dockerfile'])(
  '%s starts from a digest and ends without root',
  (path) => {
    for (const line of linesOf(path, /^FROM/))
      expect(line).toMatch(/^FROM \S+:\d+\.\d+\.\d+\S*@sha256:[0-9a-f]{64}\b/);
    expect(linesOf(path, /^USER/).at(-1)).toBe('USER 1000:1000');
  },
);

/** These two write into folders of the host's or a volume that others read, and only for a load test. */
const forLoadTests = ['seed-load', 'locust'];

test('every container of the compose file is hardened, and of an exact version', () => {
  const compose = read('docker-compose.yml');
  const services = [...compose.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)].filter(([, , body = '']) =>
    /^ {4}(?:image|build):/m.test(body),
  );
  const names = services.map(([, name = '']) => name);
  expect(names).toEqual(expect.arrayContaining(['postgres', 'api', 'worker', ...forLoadTests]));
  const soft = services.filter(([, , body = '']) => !body.includes('<<: *hardened'));
  expect(soft.map(([, name]) => name)).toEqual(forLoadTests);
  for (const image of linesOf('docker-compose.yml', /^ {4}image:/)) expect(image).toMatch(/:v?\d+\.\d+/);
  const hardened = /^x-hardened: &hardened\n((?: {2}.*\n)+)/m.exec(compose)?.[1];
  for (const rule of ['read_only: true', 'cap_drop: [ALL]', "security_opt: ['no-new-privileges:true']"])
    expect(hardened).toContain(`  ${rule}\n`);
});

test('no dependency floats: what is installed tomorrow is what was tested', () => {
  const manifests = ['package.json', 'scripts/package.json', 'perf/bench/package.json'];
  for (const folder of ['apps', 'packages'])
    for (const name of readdirSync(new URL(`../${folder}`, import.meta.url)))
      manifests.push(`${folder}/${name}/package.json`);
  const floating = manifests.flatMap((path) =>
    linesOf(path, /^ {4}"(?!@billing\/)[^"]+": "(?:\*|latest|x|)"/).map((line) => `${path}: ${line.trim()}`),
  );
  expect(floating).toEqual([]);
});
