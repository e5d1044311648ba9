import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answer } from '../../packages/client/src/answers.test-support.ts';
import {
  cutOff,
  cutShort,
  html,
  json,
  problem,
  startScriptedService,
} from '../../packages/client/src/scripted-service.test-support.ts';
import type { ScriptedService, Step } from '../../packages/client/src/scripted-service.test-support.ts';
import { saveFiles } from '@billing/testing';
import { guides, installClient, readGuide, run, runsPython } from './guide.test-support.ts';

/** The code of the guides while the service fails: products copy it as it is. */
let service: ScriptedService;
let folder: string;
beforeAll(async () => {
  service = await startScriptedService();
  folder = mkdtempSync(join(tmpdir(), 'billing-guide-'));
  for (const guide of guides) saveFiles(folder, readGuide(guide));
  await installClient(folder);
}, 60_000);
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program in the folder of the guide's files. */
async function runHere(command: string, args: string[], url = service.url) {
  const env = {
    PATH: process.env['PATH'],
    BILLING_URL: url,
    BILLING_API_KEY: 'proj_test',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { stdout, stderr } = await run(command, args, { cwd: join(folder, '.local/guide'), env });
  return { stdout: stdout.trim(), stderr: stderr.trim() };
}

const python = (code: string, url?: string) =>
  runHere('python3', ['-c', `from export_report import *\nprint(${code})`], url);
const mayExport = `can("user_1", "premium_export")`;

const outages: { name: string; step: Step; stderr: RegExp }[] = [
  { name: '503', step: problem(503, 'service_unavailable'), stderr: /service_unavailable.*req_body/ },
  { name: '429', step: problem(429, 'rate_limited'), stderr: /rate_limited/ },
  { name: 'a defect', step: problem(500, 'internal_error'), stderr: /internal_error/ },
  { name: "a proxy's page with 503", step: html(503), stderr: /answered 503/ },
  { name: "a proxy's page with 502", step: html(502), stderr: /answered 502/ },
  { name: "a proxy's page with 404", step: html(404), stderr: /answered 404/ },
  { name: "a proxy's page with 200", step: html(200), stderr: /billing is away/ },
  { name: 'JSON that is no problem document', step: json(['bad gateway'], 502), stderr: /answered 502/ },
  { name: 'a connection that is closed', step: cutOff, stderr: /billing is away/ },
  { name: 'half an answer', step: cutShort, stderr: /billing is away/ },
];

(runsPython ? describe : describe.skip)('Python', () => {
  test.each(outages)('$name: away, so the feature is refused', async ({ step, stderr }) => {
    service.script(step);
    const asked = await python(mayExport);
    expect(asked).toEqual({ stdout: 'False', stderr: expect.stringMatching(/^billing is away: /) });
    expect(asked.stderr).toMatch(stderr);
  });

  test('a service that is not there: away, so the feature is refused', async () => {
    const gone = await startScriptedService();
    await gone.stop();
    const asked = await python(mayExport, gone.url);
    expect(asked).toEqual({ stdout: 'False', stderr: expect.stringMatching(/^billing is away: /) });
  });

  test('an answer counts', async () => {
    service.script(json(answer()));
    await expect(python(mayExport)).resolves.toEqual({ stdout: 'True', stderr: '' });
    await expect(python(`can("user_1", "another")`)).resolves.toEqual({ stdout: 'False', stderr: '' });
  });

  test.each([
    [401, 'invalid_api_key'],
    [403, 'project_inactive'],
    [400, 'invalid_request'],
  ])('%p %p is an error of the caller, not a denial', async (status, code) => {
    service.script(problem(status, code));
    await expect(python(mayExport)).rejects.toThrow(
      `Refused: ${code}: do something about ${code} (req_body)`,
    );
  });

  test('what Stripe refused is an error, too', async () => {
    service.script(json(answer({ entitlements: [] })), problem(502, 'stripe_error'));
    await expect(python(`export_report("user_1")`)).rejects.toThrow('Refused: stripe_error');
  });
});

const session = {
  checkout_url: 'https://checkout.stripe.com/c/cs_1',
  session_id: 'cs_1',
  expires_at: '2026-11-23T10:00:00.000Z',
};

/** A user without entitlements is sent to a checkout. */
const sell: Step = (response, seen) =>
  (seen.method === 'GET' ? json(answer({ entitlements: [] })) : json(session))(response, seen);

const languages = [
  { name: 'JavaScript', command: process.execPath, file: 'export-report.mjs' },
  ...(runsPython ? [{ name: 'Python', command: 'python3', file: 'export_report.py' }] : []),
];

test.each(languages)(
  '$name: each button has a key of its own, its second press the same',
  async ({ command, file }) => {
    service.seen.length = 0;
    service.script(sell);
    for (const order of [[], [], ['order-7'], ['order-7']]) {
      const { stdout } = await runHere(command, [file, 'user_1', ...order]);
      expect(stdout).toBe(`please upgrade: ${session.checkout_url}`);
    }
    const sold = service.seen.filter((one) => one.method === 'POST');
    const [first, second, ...repeated] = sold.map((one) => one.headers['idempotency-key']);
    expect(first).toMatch(/^[\da-f-]{36}$/);
    expect(second).toMatch(/^[\da-f-]{36}$/);
    expect(second).not.toBe(first);
    expect(repeated).toEqual(['order-7', 'order-7']);
  },
);

test('JavaScript: without an answer the feature is refused, and stderr says why', async () => {
  service.script((response, seen) => (seen.method === 'GET' ? html(503) : json(session))(response, seen));
  const { stdout, stderr } = await runHere(process.execPath, ['export-report.mjs', 'user_1']);
  expect(stdout).toBe(`please upgrade: ${session.checkout_url}`);
  expect(stderr).toMatch(/^billing is away /);
});

describe('a metered call', () => {
  const serve = () => runHere(process.execPath, ['serve-call.mjs', 'user_1']);

  test.each([
    ['usage that cannot be taken', problem(503, 'usage_unavailable'), '503 usage_unavailable for now'],
    ['a connection that is closed', cutOff, '503 network_error for now'],
    ["a proxy's page", html(502), /^503 \w+ for now$/],
  ])('%s: it is refused, not served for nothing', async (_name, step, refusal) => {
    service.script(step);
    const [served, why] = (await serve()).stdout.split('\n');
    expect(served).toBe('0 served, 1 refused');
    expect(why).toMatch(refusal);
  });

  test('a mistake is an error, not a refusal', async () => {
    service.script(problem(400, 'feature_not_metered'));
    await expect(serve()).rejects.toThrow('feature_not_metered');
  });
});
