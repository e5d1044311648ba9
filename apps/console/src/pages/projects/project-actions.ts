import type { CheckoutDefaults, ProjectOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { jsonOf, linesOf, textOf } from '../../parts/fields.tsx';
import type { Field, Values } from '../../parts/fields.tsx';
import { policyNames } from '../../words/policy.ts';

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
  const field = { name, label: name, initial: String(policy[name]), isRequired: true };
  if (options !== undefined)
    return { ...field, kind: 'select', options: options.map((value) => ({ value, label: value })) };
  return { ...field, kind: typeof policy[name] === 'number' ? 'number' : 'text' };
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

/** Of what was there, what is not there any more is taken away. */
function defaultsPatch(written: unknown, before: CheckoutDefaults): object | null {
  if (written === undefined) return null;
  if (typeof written !== 'object' || written === null) throw new Error('The defaults are a JSON object.');
  const gone = Object.keys(before).filter((name) => !(name in written));
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...written };
}

export function changeCheckout(project: ProjectOut): Action {
  const { path, ...rest } = shared(project);
  return {
    ...rest,
    label: 'Change',
    title: `Change the checkout of ${project.project_id}`,
    words: 'What a checkout does where its request does not say it, and where it may lead back to.',
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
      {
        kind: 'json',
        name: 'checkout_defaults',
        label: 'Defaults',
        description: 'As in the description of the API (/docs). Empty: none.',
        initial: JSON.stringify(project.checkout_defaults, null, 2),
      },
    ],
    request: (values) => ({
      method: 'PATCH',
      path,
      body: {
        redirect_origins: linesOf(values, 'redirect_origins'),
        portal_configuration: textOf(values, 'portal_configuration') || null,
        checkout_defaults: defaultsPatch(jsonOf(values, 'checkout_defaults'), project.checkout_defaults),
      },
    }),
  };
}
