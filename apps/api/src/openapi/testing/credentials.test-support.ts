import { randomBytes } from 'node:crypto';
import { adminRoles, apiKeyRandomBytes, formatApiKey, hasRole } from '@billing/domain';
import type { AdminRole, ApiKeyScope } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';
import { testAdmin } from '../../testing/start-test-api.test-support.ts';
import { accessKindOf } from '../../http/define-endpoint.ts';
import type { AdminAccess, Endpoint } from '../../http/define-endpoint.ts';
import type { Call } from './call-endpoint.test-support.ts';
import { metricsToken } from './start-seeded-api.test-support.ts';

type Admin = { role: AdminRole; onlyProject: string | null };
type Key = { scopes: readonly ApiKeyScope[]; refusal?: string };

/** What a request is sent with, whatever its call asks for. */
export type Credential = {
  name: string;
  /** Null: none. */
  authorization: string | null;
  admin?: Admin;
  key?: Key;
  opens?: 'metrics' | 'queue-screen';
};

const bearer = (secret: string): string => `Bearer ${secret}`;
const basic = (name: string, secret: string): string =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

/** Names of `ADMIN_API_KEY`: each role, for all projects and for one. */
export function drawAdmins(projectId: string) {
  const names = adminRoles.flatMap((role) =>
    [null, projectId].map((onlyProject) => ({
      name: `${role}${onlyProject === null ? '' : '-of-one'}`,
      secret: randomBytes(24).toString('hex'),
      admin: { role, onlyProject },
    })),
  );
  const pairs = names.map(({ name, secret, admin: { role, onlyProject } }) =>
    [
      name,
      '/',
      role,
      ...(onlyProject === null ? [] : ['/', encodeURIComponent(onlyProject)]),
      ':',
      secret,
    ].join(''),
  );
  return { names, setting: [`${testAdmin.name}:${testAdmin.secret}`, ...pairs].join(',') };
}

const scopes = ['read', 'checkout', 'usage'] as const;

/** Keys of a project by what they may do, and keys that may do nothing. */
async function drawKeys(api: Commerce, projectId: string): Promise<Credential[]> {
  const key = (name: string, apiKey: string, may: Key): Credential => ({
    name: `key ${name}`,
    authorization: bearer(apiKey),
    key: may,
  });
  const ofScopes = async (some: ApiKeyScope[]) =>
    key(some.join('+'), (await api.createApiKey(projectId, { scopes: some })).apiKey, { scopes: some });
  const path = `/projects/${projectId}/api-keys`;
  const revoked = await api.createApiKey(projectId);
  await api.admin('delete', `${path}/${revoked.keyId}`).expect(204);
  const expired = await api.createApiKey(projectId, { expiresAt: new Date(Date.now() - 1_000) });
  const elsewhere = await api.admin('post', path, { allowed_ips: ['192.0.2.0/24'] }).expect(201);
  const off = await api.createProject();
  await api.admin('patch', `/projects/${off.projectId}`, { is_active: false }).expect(200);
  return [
    ...(await Promise.all(scopes.map((scope) => ofScopes([scope])))),
    await ofScopes([...scopes]),
    key('of another project', (await api.createProject()).apiKey, { scopes }),
    key('revoked', revoked.apiKey, { scopes, refusal: 'invalid_api_key' }),
    key('expired', expired.apiKey, { scopes, refusal: 'invalid_api_key' }),
    key('from elsewhere', String(elsewhere.body.api_key), { scopes, refusal: 'address_not_allowed' }),
    key('of a project that is off', off.apiKey, { scopes, refusal: 'project_inactive' }),
    key('unknown', formatApiKey(randomBytes(apiKeyRandomBytes)), { scopes, refusal: 'invalid_api_key' }),
  ];
}

/** Every kind of credential, right, wrong and absent. */
export async function drawCredentials(
  api: Commerce,
  { projectId, names }: { projectId: string; names: ReturnType<typeof drawAdmins>['names'] },
): Promise<Credential[]> {
  const credentials: Credential[] = [
    { name: 'none', authorization: null },
    { name: 'another scheme', authorization: 'Digest realm="x"' },
    { name: 'an empty token', authorization: 'Bearer ' },
    { name: 'a wrong secret', authorization: bearer(uniqueId('wrong')) },
    { name: 'the metrics token', authorization: bearer(metricsToken), opens: 'metrics' },
    { name: 'an operator', authorization: basic(testAdmin.name, testAdmin.secret), opens: 'queue-screen' },
    { name: 'a wrong operator', authorization: basic(testAdmin.name, 'wrong') },
    ...names.map(({ name, secret, admin }) => ({ name, authorization: bearer(secret), admin })),
    ...(await drawKeys(api, projectId)),
  ];
  // Switching a project off and revoking a key are in force everywhere within a second.
  for (const { authorization, key } of credentials)
    if (key?.refusal !== undefined)
      await waitFor(
        async () => {
          const url = `${api.url}/api/v1/entitlements?user_id=u`;
          const response = await fetch(url, { headers: { authorization: authorization ?? '' } });
          return (await response.text()).includes(String(key.refusal));
        },
        { what: 'a key that is refused' },
      );
  return credentials;
}

const noCredential: readonly string[] = ['missing_api_key', 'invalid_api_key'];

/** Refusals that say something of the caller, not of the request. */
export const refusalsOfCallers: readonly string[] = [
  ...noCredential,
  'insufficient_role',
  'insufficient_scope',
  'address_not_allowed',
  'project_inactive',
];

/**
 * The codes of which a call must be refused with one; null: it is let in, or (`may`) may be refused because of the project
 * that the request names.
 */
export type Admission = { must: readonly string[] | null; may: readonly string[] };

const letIn: Admission = { must: null, may: [] };
const refusedBy = (...must: string[]): Admission => ({ must, may: [] });

function admissionOfAdmin(admin: Admin, endpoint: Endpoint & { access: AdminAccess }, call: Call): Admission {
  const { access, path } = endpoint;
  if (!hasRole(admin.role, access.admin)) return refusedBy('insufficient_role');
  if (admin.onlyProject === null) return letIn;
  if (access.limitedBy !== undefined) return { must: null, may: ['insufficient_role'] };
  if (!path.includes('{project_id}')) return refusedBy('insufficient_role');
  return call.path?.['project_id'] === admin.onlyProject ? letIn : refusedBy('project_not_found');
}

function admissionOfKey({ scopes: has, refusal }: Key, scope: ApiKeyScope): Admission {
  if (refusal === 'project_inactive' || refusal === undefined)
    return has.includes(scope)
      ? refusal === undefined
        ? letIn
        : refusedBy(refusal)
      : refusedBy('insufficient_scope');
  return refusedBy(refusal);
}

const isAdminCall = (endpoint: Endpoint): endpoint is Endpoint & { access: AdminAccess } =>
  typeof endpoint.access === 'object' && 'admin' in endpoint.access;

/** What becomes of a call with this credential, as far as it is the credential that decides. */
export function admissionOf(credential: Credential, endpoint: Endpoint, call: Call): Admission {
  const { access } = endpoint;
  const kind = accessKindOf(endpoint);
  if (kind === 'open' || kind === 'stripe' || kind === 'console') return letIn;
  // The body is what it is let in by.
  if (kind === 'sign-in') return { must: null, may: ['invalid_api_key'] };
  if (kind === 'metrics' || kind === 'queue-screen')
    return credential.opens === kind ? letIn : refusedBy(...noCredential);
  if (isAdminCall(endpoint))
    return credential.admin === undefined
      ? refusedBy(...noCredential)
      : admissionOfAdmin(credential.admin, endpoint, call);
  if (credential.key === undefined || typeof access === 'string' || !('project' in access))
    return refusedBy(...noCredential);
  return admissionOfKey(credential.key, access.project);
}
