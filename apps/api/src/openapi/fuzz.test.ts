import * as fc from 'fast-check';
import { endpoints } from '../app.ts';
import type { Endpoint } from '../http/define-endpoint.ts';
import { uniqueId } from '../testing/start-commerce.test-support.ts';
import { callEndpoint, check } from './testing/call-endpoint.test-support.ts';
import type { Call } from './testing/call-endpoint.test-support.ts';
import {
  drawAdmins,
  drawCredentials,
  refusalsOfCallers,
  admissionOf,
} from './testing/credentials.test-support.ts';
import type { Credential } from './testing/credentials.test-support.ts';
import { useKnown, requestOf } from './testing/draw-request.test-support.ts';
import type { Drawn } from './testing/draw-request.test-support.ts';
import { startSeededApi } from './testing/start-seeded-api.test-support.ts';
import type { Known, SeededApi } from './testing/start-seeded-api.test-support.ts';
import { rulesFor } from './testing/stated-rules.test-support.ts';

/** How many requests in all; `FUZZ_REQUESTS=10000` for a long run, `FUZZ_SEED` for the same again. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 1_200);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const runsEach = Math.ceil(requests / endpoints.length);
const parameters = { numRuns: runsEach, seed, endOnFailure: requests > 5_000 };
const timeoutMs = 120_000 + requests * 100;

let seeded: SeededApi;
let credentials: readonly Credential[];
/** How often each status was answered. */
const met = new Map<number, number>();
/** By which credentials something was answered, and how those who may not were refused. */
const used = new Set<string>();
const refusals = new Set<string>();

beforeAll(async () => {
  const projectId = uniqueId('project');
  const { names, setting } = drawAdmins(projectId);
  seeded = await startSeededApi({
    projectId,
    // More wrong credentials than here are throttled.
    env: { ADMIN_API_KEY: setting, AUTH_FAILURES_PER_MINUTE: '60000' },
  });
  credentials = await drawCredentials(seeded.api, { projectId, names });
});
afterAll(() => seeded.close());

/** The last cursor of each list. */
const cursors = new Map<string, string>();

/** The ids that requests of this endpoint may name. */
function knownTo({ operationId }: Endpoint): Known {
  const cursor = [cursors.get(operationId) ?? []].flat();
  // Switching a project off would refuse all other requests to it.
  const projects = operationId === 'patchProject' ? { project_id: [seeded.spareProjectId] } : {};
  return { ...seeded.known, ...projects, cursor };
}

type Refusal = { code?: string; errors?: { path: string; message: string }[] };

/** Why a request was refused that fits its description, if the document does not state the rule. */
function unstatedRefusals({ operationId, access }: Endpoint, call: Call, answer: unknown): string[] {
  const { code, errors = [] } = answer as Refusal;
  if (code !== 'invalid_request' || access === 'stripe' || check.request(operationId, call).length > 0)
    return [];
  return errors
    .filter((problem) => rulesFor(problem).length === 0)
    .map(({ path, message }) => `nothing states that ${path} ${message}`);
}

/** What is wrong with how a caller was let in or refused. */
function complaintsOfCaller(
  credential: Credential,
  endpoint: Endpoint,
  call: Call,
  answer: Refusal,
): string[] {
  const { must, may } = admissionOf(credential, endpoint, call);
  const code = answer.code ?? 'none';
  used.add(credential.name);
  refusals.add(code);
  if (must !== null) return must.includes(code) ? [] : [`${credential.name} must be refused: ${must.join()}`];
  const isRefused = refusalsOfCallers.includes(code) && !may.includes(code);
  return isRefused ? [`${credential.name} must be let in`] : [];
}

/** The request as it is sent: with the credentials that the endpoint asks for, or with any. */
async function sendDrawn(endpoint: Endpoint, drawn: Drawn) {
  const { credentialIndex } = drawn;
  const credential = credentialIndex === null ? undefined : credentials[credentialIndex % credentials.length];
  const call = useKnown(drawn, knownTo(endpoint));
  if (credential === undefined) return send(endpoint, call);
  // The signature of an event is right: it is nothing that a caller is known by.
  const asked = { ...call, credentials: 'right', authorization: credential.authorization } as const;
  const sent = await send(endpoint, asked);
  const complaints = complaintsOfCaller(credential, endpoint, asked, sent.body as Refusal);
  return { ...sent, complaints: [...sent.complaints, ...complaints] };
}

async function send(endpoint: Endpoint, call: Call) {
  const called = await callEndpoint(seeded, endpoint, call);
  met.set(called.status, (met.get(called.status) ?? 0) + 1);
  const { next_cursor: cursor } = called.body as { next_cursor?: unknown };
  if (typeof cursor === 'string') cursors.set(endpoint.operationId, cursor);
  const failed = called.status >= 500 ? [`answered ${called.status}`] : [];
  const unstated = unstatedRefusals(endpoint, call, called.body);
  return { ...called, complaints: [...called.complaints, ...failed, ...unstated] };
}

test.each(endpoints.map((endpoint) => [endpoint.operationId, endpoint] as const))(
  '%s: whatever is sent, the answer fits its description, and is no server error',
  async (_operationId, endpoint) => {
    await fc.assert(
      fc.asyncProperty(requestOf(endpoint), async (drawn) => {
        const { shown, complaints } = await sendDrawn(endpoint, drawn);
        expect(complaints.length === 0 ? [] : [shown, ...complaints]).toEqual([]);
      }),
      parameters,
    );
  },
  timeoutMs,
);

test(
  'a signed event is taken if it fits its description, and only then',
  async () => {
    const webhook = endpoints.find(({ access }) => access === 'stripe');
    if (webhook === undefined) throw new Error('no webhook is described');
    await fc.assert(
      fc.asyncProperty(requestOf(webhook), async ({ body }) => {
        const { status, shown } = await send(webhook, { body });
        const fits = check.body(webhook.operationId, JSON.parse(JSON.stringify(body))).length === 0;
        expect([shown, status]).toEqual([shown, fits ? 200 : 400]);
      }),
      parameters,
    );
  },
  timeoutMs,
);

test('the requests were right often enough to get through, and wrong often enough to be refused', () => {
  // Two calls answer 204, where they name what exists: a short run may meet none.
  for (const status of [200, 201, 202, ...(requests >= 5_000 ? [204] : []), 400, 401, 403, 404, 409])
    expect([...met.keys()]).toContain(status);
  const through = [200, 201, 202, 204].reduce((sum, status) => sum + (met.get(status) ?? 0), 0);
  const all = [...met.values()].reduce((sum, count) => sum + count, 0);
  // Most calls are an administrator's, and most credentials are none.
  expect(through / all).toBeGreaterThan(0.15);
  expect([...used].toSorted()).toEqual(credentials.map(({ name }) => name).toSorted());
  // Few calls are a project's: a short run may send a key of each kind to others only.
  const expected = requests >= 5_000 ? refusalsOfCallers : ['insufficient_role', 'missing_api_key'];
  expect([...refusals]).toEqual(expect.arrayContaining([...expected]));
});
