import type { WebhookEndpointOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { Json } from '../../parts/json.tsx';
import type { Action } from '../../parts/action-type.ts';
import { givenNumber, givenText, linesOf, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';
import { ShownOnce } from '../../parts/shown-once.tsx';
import { startedRun } from '../runs/run-actions.tsx';

const ofProject = (projectId: string): string =>
  pathOf`/api/v1/admin/projects/${projectId}/webhook-endpoints`;
const ofEndpoint = ({ project_id: projectId, endpoint_id: id }: WebhookEndpointOut): string =>
  pathOf`/api/v1/admin/projects/${projectId}/webhook-endpoints/${id}`;

const fieldsOf = (endpoint?: WebhookEndpointOut): Field[] => [
  {
    kind: 'text',
    name: 'url',
    label: 'Address',
    description: 'https, and public.',
    isRequired: true,
    initial: endpoint?.url ?? '',
  },
  {
    kind: 'area',
    name: 'event_types',
    label: 'What is sent',
    description: 'Types, one a line; *: all.',
    initial: endpoint?.event_types.join('\n') ?? '*',
  },
  {
    kind: 'select',
    name: 'payload',
    label: 'How much',
    options: [
      { value: 'full', label: 'The whole state' },
      { value: 'thin', label: 'Only whose state changed' },
    ],
    initial: endpoint?.payload ?? 'full',
  },
  {
    kind: 'select',
    name: 'delivery',
    label: 'Which states',
    options: [
      { value: 'latest', label: 'The newest of a user' },
      { value: 'every', label: 'Every one, in order' },
    ],
    initial: endpoint?.delivery ?? 'latest',
  },
  { kind: 'text', name: 'description', label: 'Description', initial: endpoint?.description ?? '' },
];

const bodyOf = (values: Values) => ({
  url: textOf(values, 'url'),
  event_types: linesOf(values, 'event_types'),
  payload: textOf(values, 'payload'),
  delivery: textOf(values, 'delivery'),
});

const shownSecret = (answer: unknown) => <ShownOnce of={answer} field="secret" what="The secret" />;

export const createEndpoint = (projectId: string): Action => ({
  label: 'New endpoint',
  title: `New webhook endpoint of ${projectId}`,
  words: 'Where the product hears what its users may do. The secret to verify by is shown once, at the end.',
  least: 'admin',
  isTried: true,
  confirm: 'Make the endpoint',
  fields: fieldsOf(),
  request: (values) => ({
    method: 'POST',
    path: ofProject(projectId),
    body: { ...bodyOf(values), description: givenText(values, 'description') },
  }),
  done: shownSecret,
});

export const changeEndpoint = (endpoint: WebhookEndpointOut): Action => ({
  label: 'Change',
  title: `Change ${endpoint.endpoint_id}`,
  words: 'It holds for what is sent from now on.',
  least: 'admin',
  isTried: true,
  fields: fieldsOf(endpoint),
  request: (values) => ({
    method: 'PATCH',
    path: ofEndpoint(endpoint),
    body: { ...bodyOf(values), description: givenText(values, 'description') ?? null },
  }),
});

export const switchEndpoint = (endpoint: WebhookEndpointOut): Action => {
  const isOff = endpoint.status === 'disabled';
  return {
    label: isOff ? 'Enable' : 'Disable',
    title: `${isOff ? 'Enable' : 'Disable'} ${endpoint.endpoint_id}`,
    words: isOff
      ? 'Changes are sent from now on. A backfill tells it the state of all users.'
      : 'Nothing is sent any more, and what waits is discarded.',
    least: 'admin',
    isTried: true,
    isDangerous: !isOff,
    request: () => ({ method: 'PATCH', path: ofEndpoint(endpoint), body: { is_enabled: isOff } }),
  };
};

export const deleteEndpoint = (endpoint: WebhookEndpointOut): Action => ({
  label: 'Delete',
  title: `Delete ${endpoint.endpoint_id}`,
  words: 'The product hears nothing there any more; what waits is discarded.',
  least: 'admin',
  isTried: true,
  isDangerous: true,
  request: () => ({ method: 'DELETE', path: ofEndpoint(endpoint) }),
});

export const rotateSecret = (endpoint: WebhookEndpointOut): Action => ({
  label: 'Rotate secret',
  title: `Rotate the secret of ${endpoint.endpoint_id}`,
  words: 'Messages are signed with both secrets until the old one ends.',
  least: 'admin',
  isTried: true,
  fields: [
    {
      kind: 'number',
      name: 'overlap_hours',
      label: 'Hours until the old secret ends',
      initial: '24',
      isRequired: true,
    },
  ],
  request: (values) => ({
    method: 'POST',
    path: `${ofEndpoint(endpoint)}/rotate-secret`,
    body: { overlap_hours: givenNumber(values, 'overlap_hours') ?? 24 },
  }),
  done: shownSecret,
});

export const pingEndpoint = (endpoint: WebhookEndpointOut): Action => ({
  label: 'Ping',
  title: `Ping ${endpoint.endpoint_id}`,
  words: 'Sends one message now, and shows what the endpoint answers. It changes nothing.',
  least: 'operator',
  request: () => ({ method: 'POST', path: `${ofEndpoint(endpoint)}/ping` }),
  done: (answer) => <Json of={answer} name="What it answered" />,
});

export const backfillEndpoint = (endpoint: WebhookEndpointOut): Action => ({
  label: 'Backfill',
  title: `Backfill ${endpoint.endpoint_id}`,
  words: 'A run tells the endpoint the state of every user once.',
  least: 'operator',
  request: () => ({ method: 'POST', path: `${ofEndpoint(endpoint)}/backfill` }),
  done: startedRun,
});

/** `endpointId` absent: to all endpoints that it was made for. */
export const resendMessage = (messageId: string): Action => ({
  label: 'Resend',
  title: `Resend ${messageId}`,
  words: 'Sends the message once more, under the same id.',
  least: 'operator',
  fields: [
    {
      kind: 'text',
      name: 'endpoint_id',
      label: 'Only to the endpoint',
      description: 'Empty: to all that it was made for.',
    },
  ],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/webhook-messages/${messageId}/resend`,
    body: { endpoint_id: givenText(values, 'endpoint_id') },
  }),
});
