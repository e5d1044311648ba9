import type { ProjectOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { givenNumber, linesOf, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';
import { checkoutNames } from '../../words/checkout.ts';
import { effectOf, policyNames } from '../../words/policy.ts';
import { checkoutChanges, checkoutFields } from './checkout-form.ts';

type Policy = ProjectOut['policy'];

const shared = ({ project_id: id }: ProjectOut) => ({
  least: 'admin' as const,
  isTried: true,
  path: pathOf`/api/v1/admin/projects/${id}`,
});

export function changeProject(project: ProjectOut): Action {
  const { path, ...rest } = shared(project);
  return {
    ...rest,
    label: 'Change',
    title: `Change ${project.project_id}`,
    words: 'What people call the project.',
    fields: [
      { kind: 'text', name: 'name', label: 'Name', isRequired: true, initial: project.name },
      { kind: 'area', name: 'description', label: 'Description', initial: project.description ?? '' },
    ],
    request: (values) => ({
      method: 'PATCH',
      path,
      body: {
        name: textOf(values, 'name'),
        description: textOf(values, 'description') === '' ? null : textOf(values, 'description'),
      },
    }),
  };
}

export function switchProject(project: ProjectOut): Action {
  const { path, ...rest } = shared(project);
  const isOff = !project.is_active;
  return {
    ...rest,
    label: isOff ? 'Switch on' : 'Switch off',
    title: `${isOff ? 'Switch on' : 'Switch off'} ${project.project_id}`,
    words: isOff
      ? 'Its keys work again.'
      : 'Its keys are refused from now on, so its backend learns nothing of its users. Nothing is deleted.',
    isDangerous: !isOff,
    request: () => ({ method: 'PATCH', path, body: { is_active: isOff } }),
  };
}

const choices: { [Name in keyof Policy]?: readonly string[] } = {
  unpaid: ['allow', 'deny'],
  paused: ['allow', 'deny'],
  incomplete: ['allow', 'deny'],
  pause_collection: ['allow', 'deny'],
  dispute: ['hold', 'ignore'],
  accept_buyer_hints: ['grant', 'quarantine'],
  past_due_allowance: ['grant', 'withhold'],
};

function policyField(name: keyof Policy, policy: Policy): Field {
  const options = choices[name];
  const field = {
    name,
    label: name,
    path: `policy.${name}`,
    initial: String(policy[name]),
    isRequired: true,
  };
  const effect = (value: string | number): string => effectOf(name, { ...policy, [name]: value });
  if (options !== undefined)
    return {
      ...field,
      kind: 'select',
      options: options.map((value) => ({ value, label: `${value}: ${effect(value)}` })),
    };
  if (typeof policy[name] !== 'number')
    return { ...field, kind: 'text', description: (values) => effect(textOf(values, name)) };
  return { ...field, kind: 'number', description: (values) => effect(givenNumber(values, name) ?? 0) };
}

/** Only what differs: what is left as it is stays the service's default. */
function policyChanges(values: Values, policy: Policy): Record<string, string | number> {
  const changed = policyNames.filter(
    (name) => textOf(values, name) !== '' && textOf(values, name) !== String(policy[name]),
  );
  return Object.fromEntries(
    changed.map((name) => {
      const text = textOf(values, name);
      return [name, typeof policy[name] === 'number' ? Number(text) : text];
    }),
  );
}

export function changePolicy(project: ProjectOut): Action {
  const { path, ...rest } = shared(project);
  return {
    ...rest,
    label: 'Change',
    title: `Change the policy of ${project.project_id}`,
    words:
      'What a failed payment, a pause, a refund or a dispute does to access. It holds for all users at once.',
    fields: policyNames.map((name) => policyField(name, project.policy)),
    request: (values) => ({ method: 'PATCH', path, body: { policy: policyChanges(values, project.policy) } }),
  };
}

/** Where checkout and portal lead back to. */
export function changeAddresses(project: ProjectOut): Action {
  const { path, ...rest } = shared(project);
  return {
    ...rest,
    label: 'Change',
    title: `Change where checkout and portal of ${project.project_id} lead back to`,
    words: 'Addresses of other origins are refused from then on.',
    fields: [
      {
        kind: 'area',
        name: 'redirect_origins',
        label: 'Origins',
        description: 'One a line, such as https://shop.example. None: any.',
        initial: project.redirect_origins.join('\n'),
      },
      {
        kind: 'text',
        name: 'portal_configuration',
        label: 'Configuration of the portal',
        description: 'Of Stripe: bpc_…. Empty: that of the account.',
        initial: project.portal_configuration ?? '',
      },
    ],
    request: (values) => ({
      method: 'PATCH',
      path,
      body: {
        redirect_origins: linesOf(values, 'redirect_origins'),
        portal_configuration: textOf(values, 'portal_configuration') || null,
      },
    }),
  };
}

/** What a checkout does where its request does not say it. */
export function changeCheckout(project: ProjectOut): Action {
  const { path, ...rest } = shared(project);
  const before = project.checkout_defaults;
  return {
    ...rest,
    label: 'Change',
    title: `Change the checkout of ${project.project_id}`,
    words:
      'What a checkout does where its request does not say it. Checkouts that are open stay as they are.',
    fields: checkoutFields(before),
    request: (values) => ({
      method: 'PATCH',
      path,
      body: { checkout_defaults: checkoutChanges(values, before, checkoutNames) },
    }),
  };
}
