import type { ErrorCode } from '@billing/domain';
import { accessKindOf } from './define-endpoint.ts';
import type { AccessKind, Endpoint } from './define-endpoint.ts';

const errorsOfAccess: Record<AccessKind, readonly ErrorCode[]> = {
  project: [
    'missing_api_key',
    'invalid_api_key',
    'insufficient_scope',
    'address_not_allowed',
    'project_mismatch',
    'project_inactive',
    'rate_limited',
    'service_unavailable',
  ],
  admin: [
    'missing_api_key',
    'invalid_api_key',
    'insufficient_role',
    'origin_not_allowed',
    'rate_limited',
    'service_unavailable',
  ],
  stripe: ['invalid_signature'],
  metrics: ['missing_api_key', 'invalid_api_key', 'rate_limited'],
  'queue-screen': ['missing_api_key', 'invalid_api_key', 'insufficient_role', 'rate_limited'],
  console: [
    'missing_api_key',
    'invalid_api_key',
    'origin_not_allowed',
    'rate_limited',
    'service_unavailable',
  ],
  'sign-in': ['invalid_api_key', 'origin_not_allowed', 'rate_limited', 'service_unavailable'],
  open: [],
};

/** Whether another project than the own is `project_not_found` to an administrator who is limited to one. */
const namesProject = ({ access, path }: Endpoint): boolean =>
  typeof access === 'object' &&
  'admin' in access &&
  (access.limitedBy === 'body' || path.includes('{project_id}'));

/** Every code with which this endpoint may refuse. */
export function errorsOf(endpoint: Endpoint): ErrorCode[] {
  const { access, body, query, path } = endpoint;
  const takesInput = query !== undefined || path.includes('{') || (body !== undefined && access !== 'stripe');
  const codes: ErrorCode[] = [
    ...(takesInput ? (['invalid_request'] as const) : []),
    ...(body === undefined ? [] : (['payload_too_large', 'unsupported_media_type'] as const)),
    ...errorsOfAccess[accessKindOf(endpoint)],
    ...(namesProject(endpoint) ? (['project_not_found'] as const) : []),
    ...endpoint.errors,
    'request_timeout',
    'request_header_too_large',
    'internal_error',
  ];
  return [...new Set(codes)];
}
