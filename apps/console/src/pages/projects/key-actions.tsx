import type { ApiKeyOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { chosenOf, givenNumber, givenText, linesOf } from '../../parts/values.ts';
import { ShownOnce } from '../../parts/shown-once.tsx';

const scopes = [
  { value: 'read', label: 'read: entitlements, usage, subscriptions, metrics' },
  { value: 'checkout', label: 'checkout: sell, open the portal, change subscriptions' },
  { value: 'usage', label: 'usage: take and record usage' },
];

const ofKey = ({ project_id: projectId, key_id: keyId }: ApiKeyOut): string =>
  pathOf`/api/v1/admin/projects/${projectId}/api-keys/${keyId}`;

const shownKey = (answer: unknown) => <ShownOnce of={answer} field="api_key" what="The key" />;

export const createKey = (projectId: string): Action => ({
  label: 'New key',
  title: `New key of ${projectId}`,
  words:
    'The key is shown once, at the end. It belongs into the backend’s secrets, not into a page or an app.',
  least: 'admin',
  isTried: true,
  confirm: 'Make the key',
  fields: [
    { kind: 'text', name: 'name', label: 'Name', description: 'Who uses it.' },
    {
      kind: 'checks',
      name: 'scopes',
      label: 'May',
      options: scopes,
      initial: scopes.map(({ value }) => value),
    },
    {
      kind: 'area',
      name: 'allowed_ips',
      label: 'Only from',
      description: 'Addresses or networks, one a line. None: from anywhere.',
    },
    {
      kind: 'number',
      name: 'rate_limit_per_second',
      label: 'Requests a second',
      description: 'Empty: as set.',
    },
    { kind: 'time', name: 'expires_at', label: 'Ends', description: 'Empty: never.' },
  ],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${projectId}/api-keys`,
    body: {
      name: givenText(values, 'name'),
      scopes: chosenOf(values, 'scopes'),
      allowed_ips: linesOf(values, 'allowed_ips'),
      rate_limit_per_second: givenNumber(values, 'rate_limit_per_second'),
      expires_at: givenText(values, 'expires_at'),
    },
  }),
  done: shownKey,
});

export const rotateKey = (key: ApiKeyOut): Action => ({
  label: 'Rotate',
  title: `Rotate ${key.prefix}`,
  words: 'Makes a new key with the same rights. The old one ends by itself after the overlap.',
  least: 'admin',
  isTried: true,
  confirm: 'Make the new key',
  fields: [
    {
      kind: 'number',
      name: 'overlap_hours',
      label: 'Hours until the old key ends',
      initial: '24',
      isRequired: true,
    },
  ],
  request: (values) => ({
    method: 'POST',
    path: `${ofKey(key)}/rotate`,
    body: { overlap_hours: givenNumber(values, 'overlap_hours') ?? 24 },
  }),
  done: shownKey,
});

export const revokeKey = (key: ApiKeyOut): Action => ({
  label: 'Revoke',
  title: `Revoke ${key.prefix}`,
  words: 'The key is refused everywhere within a second. It cannot be brought back.',
  least: 'admin',
  isTried: true,
  isDangerous: true,
  request: () => ({ method: 'DELETE', path: ofKey(key) }),
});
