import { grantResponse } from '@billing/domain';
import { endpoints } from '../app.ts';
import { testAdmin } from '../testing/start-test-api.test-support.ts';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';
import { seedEvents } from '../openapi/testing/seed-records.test-support.ts';
import { accessKindOf } from './define-endpoint.ts';

/*
 * Who may make which admin call: one row for each. `own`, `other`: what a name that is limited to a project is answered
 * about that project and about another one; `all`: about all of them. Other statuses mean that it was let in.
 */
type Row = { role: 'viewer' | 'operator' | 'admin'; limited: 'path' | 'body' | 'filtered' | 'all' };
const viewer = (limited: Row['limited']): Row => ({ role: 'viewer', limited });
const operator = (limited: Row['limited']): Row => ({ role: 'operator', limited });
const admin = (limited: Row['limited']): Row => ({ role: 'admin', limited });

const matrix: Record<string, Row> = {
  listProjects: viewer('filtered'),
  createProject: admin('all'),
  getProject: viewer('path'),
  patchProject: admin('path'),
  listApiKeys: viewer('path'),
  createApiKey: admin('path'),
  revokeApiKey: admin('path'),
  rotateApiKey: admin('path'),
  listFeatures: viewer('path'),
  createFeature: admin('path'),
  getFeature: viewer('path'),
  patchFeature: admin('path'),
  listProducts: viewer('path'),
  createProduct: admin('path'),
  getProduct: viewer('path'),
  patchProduct: admin('path'),
  listWebhookEndpoints: viewer('path'),
  createWebhookEndpoint: admin('path'),
  getWebhookEndpoint: viewer('path'),
  patchWebhookEndpoint: admin('path'),
  deleteWebhookEndpoint: admin('path'),
  rotateWebhookSecret: admin('path'),
  pingWebhookEndpoint: operator('path'),
  startWebhookBackfill: operator('path'),
  listWebhookDeliveries: viewer('path'),
  getWebhookMessage: viewer('filtered'),
  resendWebhookMessage: operator('filtered'),
  listPrices: viewer('path'),
  createPrice: admin('path'),
  getPrice: viewer('path'),
  patchPrice: admin('path'),
  deletePrice: admin('path'),
  mapCustomer: operator('path'),
  moveCustomer: operator('path'),
  assignObject: operator('body'),
  findUsers: viewer('filtered'),
  getUser: viewer('path'),
  listTimeline: viewer('path'),
  listSoldSubscriptions: viewer('filtered'),
  listSoldPurchases: viewer('filtered'),
  listRevenueDays: viewer('filtered'),
  listTopUsers: viewer('path'),
  getEvent: viewer('filtered'),
  eraseUser: admin('body'),
  exportUser: admin('body'),
  createGrant: operator('body'),
  revokeGrant: operator('filtered'),
  adjustUsage: operator('body'),
  checkUserUsage: viewer('path'),
  getUserUsage: viewer('path'),
  listUserUsageEvents: viewer('path'),
  listUsageRefusals: viewer('filtered'),
  listMeterReports: viewer('filtered'),
  listEvents: viewer('filtered'),
  listQuarantine: viewer('filtered'),
  listDuplicates: viewer('filtered'),
  listAudit: viewer('filtered'),
  exportAudit: viewer('filtered'),
  // The chain is one, of all projects.
  verifyAudit: viewer('all'),
  startReconcile: operator('body'),
  listRuns: viewer('filtered'),
  getRun: viewer('filtered'),
  getReconcileRun: viewer('filtered'),
  replayEvent: operator('filtered'),
  replayEvents: operator('all'),
  getOverview: viewer('all'),
  listSamples: viewer('all'),
  listSessions: viewer('all'),
  revokeSession: admin('all'),
  listNames: viewer('all'),
};

const adminEndpoints = endpoints.filter((endpoint) => accessKindOf(endpoint) === 'admin');
const names = adminEndpoints.map(({ operationId }) => operationId);

const roles = ['viewer', 'operator', 'admin'] as const;
const own = 'shop of/mine:';
const secretOf = (role: string, project = ''): string => `secret-${role}-${project}`;
const keys = roles.flatMap((role) => [
  `${role}/${role}:${secretOf(role)}`,
  `${role}/${role}/${encodeURIComponent(own)}:${secretOf(role, 'own')}`,
]);

let api: Commerce;
let other: string;
let objects: Record<'own' | 'other', { eventId: string; runId: string; grantId: string }>;

beforeAll(async () => {
  api = await startCommerce({ ADMIN_API_KEY: [`${testAdmin.name}:${testAdmin.secret}`, ...keys].join(',') });
  await api.createProject(own);
  other = (await api.createProject()).projectId;
  const seed = async (projectId: string) => {
    const [eventId = ''] = await seedEvents(api.deps.database, uniqueId('sub'));
    await api.deps.database.stripeEvent.update({ where: { eventId }, data: { projectId } });
    const run = await api.admin('post', '/reconcile', { project_id: projectId, dry_run: true }).expect(202);
    const grant = { project_id: projectId, user_id: uniqueId('user'), feature_code: 'f', reason: 'test' };
    const { body } = await api.admin('post', '/grant', grant).expect(201);
    return { eventId, runId: String(run.body.run_id), grantId: String(body.grant_id) };
  };
  objects = { own: await seed(own), other: await seed(other) };
});
afterAll(() => api.close());

/** Bodies that are refused as they stand, so that whoever is let in changes nothing; except for the project. */
const bodyOf = (operationId: string, projectId: string): object =>
  ['createGrant', 'startReconcile', 'eraseUser', 'exportUser', 'adjustUsage', 'assignObject'].includes(
    operationId,
  )
    ? { project_id: projectId, dry_run: 'no' }
    : { no: 1 };

type Asked = { secret: string; project: 'own' | 'other'; body?: object };

async function ask(operationId: string, { secret, project, body }: Asked) {
  const endpoint = adminEndpoints.find((one) => one.operationId === operationId);
  if (endpoint === undefined) throw new Error(`there is no ${operationId}`);
  const projectId = project === 'own' ? own : other;
  const { eventId, runId } = objects[project];
  const path = endpoint.path
    .replace('{project_id}', encodeURIComponent(projectId))
    .replace('{event_id}', eventId)
    .replace('{run_id}', runId)
    .replaceAll(/\{\w+\}/g, 'none');
  const response = await fetch(api.url + path, {
    method: endpoint.method.toUpperCase(),
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    ...(endpoint.method === 'get' || endpoint.method === 'delete'
      ? {}
      : { body: JSON.stringify(body ?? bodyOf(operationId, projectId)) }),
  });
  const text = await response.text();
  return { status: response.status, code: /"code":"(\w+)"/.exec(text)?.[1], text };
}

test('every admin call is in the table, and no other', () => {
  expect(Object.keys(matrix).toSorted()).toEqual(names.toSorted());
});

/** What an answer says of the caller, whatever else it says of the call. */
function outcomeOf({ status, code }: { status: number; code: string | undefined }): string {
  if (code === 'insufficient_role') return `${status} refused`;
  return code === 'project_not_found' ? `${status} hidden` : 'let in';
}

const ofLimited = {
  path: { own: 'let in', other: '404 hidden' },
  // The bodies here are refused before their project is looked at.
  body: { own: 'let in', other: 'let in' },
  filtered: { own: 'let in', other: 'let in' },
  all: { own: '403 refused', other: '403 refused' },
};
const refused = { own: '403 refused', other: '403 refused' };

describe.each(Object.entries(matrix))('%s', (operationId, row) => {
  const isEnough = (role: (typeof roles)[number]): boolean => roles.indexOf(role) >= roles.indexOf(row.role);

  test.each(roles)(`wants ${row.role}, asked as %s`, async (role) => {
    const answer = await ask(operationId, { secret: secretOf(role), project: 'other' });
    expect(outcomeOf(answer)).toBe(isEnough(role) ? 'let in' : '403 refused');
  });

  test.each(roles)('a name that is limited to a project, asked as %s', async (role) => {
    const asked = (project: 'own' | 'other') => ask(operationId, { secret: secretOf(role, 'own'), project });
    const [mine, foreign] = [await asked('own'), await asked('other')];
    const expected = isEnough(role) ? ofLimited[row.limited] : refused;
    expect({ own: outcomeOf(mine), other: outcomeOf(foreign) }).toEqual(expected);
    expect(foreign.text).not.toContain(other);
  });
});

describe('a name that is limited to a project', () => {
  const limited = secretOf('admin', 'own');
  const read = async (path: string) => {
    const response = await fetch(`${api.url}/api/v1/admin${path}`, {
      headers: { authorization: `Bearer ${limited}` },
    });
    return { status: response.status, text: await response.text() };
  };

  test('lists its own project, events, runs and audit rows, and no others', async () => {
    const projects = JSON.parse((await read('/projects')).text);
    expect(projects.data.map(({ project_id: id }: { project_id: string }) => id)).toEqual([own]);
    for (const [path, mine, foreign] of [
      ['/events', objects.own.eventId, objects.other.eventId],
      ['/runs', objects.own.runId, objects.other.runId],
      ['/audit', objects.own.grantId, objects.other.grantId],
      [`/audit?project_id=${other}`, '"data":[]', objects.other.grantId],
    ] as const) {
      const { status, text } = await read(path);
      expect([path, status]).toEqual([path, 200]);
      expect(text).toContain(mine);
      expect(text).not.toContain(foreign);
    }
    expect((await read('/quarantine')).status).toBe(200);
  });

  test('meets no object of another project by its id', async () => {
    for (const kind of ['runs', 'reconcile'])
      expect([
        (await read(`/${kind}/${objects.own.runId}`)).status,
        (await read(`/${kind}/${objects.other.runId}`)).status,
      ]).toEqual([200, 404]);
    const revoke = (of: 'own' | 'other') => {
      const body = { grant_id: objects[of].grantId, reason: 'test' };
      return ask('revokeGrant', { secret: limited, project: of, body });
    };
    expect(await revoke('other')).toMatchObject({ status: 404, code: 'grant_not_found' });
    expect(await revoke('own')).toMatchObject({ status: 200 });
    const replayed = await ask('replayEvent', { secret: limited, project: 'other', body: { dry_run: true } });
    expect(replayed).toMatchObject({ status: 404, code: 'event_not_found' });
  });

  test('grants and reconciles in its own project only', async () => {
    const grant = (project: string | undefined) => ({
      ...(project === undefined ? {} : { project_id: project }),
      user_id: uniqueId('user'),
      feature_code: 'f',
      reason: 'test',
    });
    const to = (operationId: string, body: object) =>
      ask(operationId, { secret: limited, project: 'own', body });
    expect(await to('createGrant', grant(own))).toMatchObject({ status: 201 });
    expect(await to('createGrant', grant(other))).toMatchObject({ status: 404, code: 'project_not_found' });
    expect(await to('startReconcile', { project_id: own })).toMatchObject({ status: 202 });
    expect(await to('startReconcile', { project_id: other })).toMatchObject({
      status: 404,
      code: 'project_not_found',
    });
    expect(await to('startReconcile', {})).toMatchObject({ status: 403, code: 'insufficient_role' });
  });
});

test('who may not do something is told so whatever the body is', async () => {
  const post = (secret: string, [type, body]: readonly [string, string]) =>
    fetch(`${api.url}/api/v1/admin/grant`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': type },
      body,
    });
  for (const [sent, status] of [
    [['application/json', '{"half":'], 400],
    [['text/plain', 'x'], 415],
    [['application/json', ' '.repeat(300_000)], 413],
  ] as const)
    expect([
      (await post(secretOf('viewer'), sent)).status,
      (await post(secretOf('operator'), sent)).status,
    ]).toEqual([403, status]);
});

test.each(roles)('the queue screen is shown to %s, and to no name with a project', async (role) => {
  const login = (secret: string) => ({
    authorization: `Basic ${Buffer.from(`${role}:${secret}`).toString('base64')}`,
  });
  const open = (secret: string) => fetch(`${api.url}/admin/queues`, { headers: login(secret) });
  expect((await open(secretOf(role))).status).toBe(200);
  const answer = await open(secretOf(role, 'own'));
  expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'insufficient_role' }]);
});

test('who did it is in the audit log', async () => {
  const asOperator = { authorization: `Bearer ${secretOf('operator')}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ project_id: other, user_id: 'u', feature_code: 'f', reason: 'test' });
  const granted = await fetch(`${api.url}/api/v1/admin/grant`, { method: 'POST', headers: asOperator, body });
  const { grant_id: grantId } = grantResponse.parse(await granted.json());
  const audit = await api.admin('get', `/audit?target_id=${grantId}`).expect(200);
  expect(audit.body.data[0]).toMatchObject({ actor: 'operator', action: 'grant.create' });
});
