import * as fc from 'fast-check';
import { endpoints } from '../app.ts';
import type { Endpoint } from '../http/define-endpoint.ts';
import { callEndpoint, check } from './testing/call-endpoint.test-support.ts';
import type { Call } from './testing/call-endpoint.test-support.ts';
import { useKnown, requestOf } from './testing/draw-request.test-support.ts';
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
/** How often each status was answered. */
const met = new Map<number, number>();

beforeAll(async () => {
  seeded = await startSeededApi();
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
        const { shown, complaints } = await send(endpoint, useKnown(drawn, knownTo(endpoint)));
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
  for (const status of [200, 201, 202, 204, 400, 401, 403, 404, 409])
    expect([...met.keys()]).toContain(status);
  const through = [200, 201, 202, 204].reduce((sum, status) => sum + (met.get(status) ?? 0), 0);
  const all = [...met.values()].reduce((sum, count) => sum + count, 0);
  expect(through / all).toBeGreaterThan(0.2);
});
