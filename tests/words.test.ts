import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Words that docs/glossary.md replaced, alone or inside an identifier. */
const retired =
  /\b(settle|owed|judg|verdict|voice|heal(?![t])|adopt|bury|fence)|[a-z](Settle|Owed|Judg|Verdict|Voice|Heal|Adopt|Bury|Fence)|_(settle|owed|fence)/;

/** What may still use one, and why. Matched against the line. */
const allowed: readonly { where: RegExp; line: RegExp; why: string }[] = [
  { where: /./, line: /Promise\.allSettled/, why: "JavaScript's own name" },
  {
    where: /^(packages\/store\/src|prisma|tests|docs)\//,
    line: /\b(fence|settle_at|settle_attempts)\b/,
    why: 'columns, mapped in schema.prisma',
  },
  { where: /^docs\//, line: /_settle_at_idx/, why: 'indexes of these columns' },
  {
    where: /customers\/|apps\/cli|contracts|docs\/openapi\.json/,
    line: /\bhealed\b/,
    why: 'a field of the answer of POST …/customers',
  },
  {
    where: /offline-stripe|stripe_events|locust|tests|contract|README|docs/,
    line: /\/settle\b/,
    why: 'an address of the offline Stripe',
  },
  { where: /^docs\/upgrading\.md$/, line: /^\| `[a-z_]+`/, why: 'former names of log events' },
  { where: /^(docs\/glossary\.md|tests\/words\.test\.ts)$/, line: /./, why: 'the lists themselves' },
];

const isText = (path: string): boolean =>
  /\.(ts|tsx|js|mjs|md|json|yml|yaml|prisma|sql|py|sh|example)$/.test(path);

test('retired words appear nowhere but where a stored or public name needs them', () => {
  const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .filter((path) => isText(path) && !path.startsWith('prisma/migrations/') && path !== 'package-lock.json');
  const found = paths.flatMap((path) =>
    readFileSync(`${root}${path}`, 'utf8')
      .split('\n')
      .map((line, index) => ({ line, at: `${path}:${index + 1}` }))
      .filter(({ line }) => retired.test(line))
      .filter(({ line }) => !allowed.some(({ where, line: known }) => where.test(path) && known.test(line)))
      .map(({ line, at }) => `${at} ${line.trim()}`),
  );
  expect(paths.length).toBeGreaterThan(500);
  expect(found).toEqual([]);
});
