import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { publishedSecrets } from '@billing/platform';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Secrets as they are written in files: of webhooks, and of `ADMIN_API_KEY` or what passes it on. */
const webhookSecret = /\bwhsec_[A-Za-z0-9]\w*/g;
const adminSecret =
  /\b(?:ADMIN_API_KEY|adminSecret|ADMIN|BILLING_ADMIN_KEY)\b['"]?\s*[:=]\s*['"]?(?:[\w./%-]+:)?([A-Za-z][\w-]*(?:-[\w-]+)+)/g;
/** Names of files and variables that stand where a secret would. */
const noSecret = /^(?:admin[-_]api[-_]key|from-a-file)$/;

test('production refuses every secret that a file of this repository holds', () => {
  const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .filter((path) => /\.(?:ts|js|md|json|ya?ml|sh|py|env|example)$/.test(path))
    .filter((path) => path !== 'package-lock.json');
  const found = new Set<string>();
  for (const path of paths) {
    const text = readFileSync(`${root}${path}`, 'utf8');
    for (const [secret] of text.matchAll(webhookSecret)) found.add(secret);
    for (const [, secret = ''] of text.matchAll(adminSecret)) found.add(secret);
  }
  for (const expected of ['whsec_replace_me', 'replace-me', 'demo-admin-secret-not-for-production'])
    expect(found).toContain(expected);
  // Shorter ones are refused for their length.
  const accepted = [...found].filter((secret) => secret.length >= 24 && !publishedSecrets.has(secret));
  expect(accepted.filter((secret) => !noSecret.test(secret))).toEqual([]);
});
