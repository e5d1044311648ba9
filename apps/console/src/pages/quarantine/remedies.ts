import type { Action } from '../../parts/action-type.ts';
import { pathOf } from '../../api/address.ts';
import { textOf } from '../../parts/values.ts';
import type { InputField } from '../../parts/values.ts';
import { isPrice } from './waiting.ts';
import type { Waiting } from './waiting.ts';

/** `onlyProject`: of a name that is limited to it; null: of none. */
const projectField = (onlyProject: string | null): InputField => ({
  kind: 'text',
  name: 'project_id',
  label: 'Project',
  isRequired: true,
  initial: onlyProject ?? '',
});

const mapCustomer = (customerId: string, onlyProject: string | null): Action => ({
  label: 'Map',
  title: `Whose is ${customerId}?`,
  words: 'Says which user of a project the customer is, and releases what waits for it.',
  least: 'operator',
  isTried: true,
  fields: [projectField(onlyProject), { kind: 'text', name: 'user_id', label: 'User', isRequired: true }],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${textOf(values, 'project_id')}/customers`,
    body: { user_id: textOf(values, 'user_id'), stripe_customer_id: customerId },
  }),
});

const mapPrice = (priceId: string, onlyProject: string | null): Action => ({
  label: 'Map',
  title: `As what is ${priceId} sold?`,
  words: 'Says as which product the price is sold, and releases what waits for it.',
  least: 'admin',
  isTried: true,
  fields: [
    projectField(onlyProject),
    { kind: 'text', name: 'product_id', label: 'Sold as the product', isRequired: true },
  ],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${textOf(values, 'project_id')}/prices`,
    body: { stripe_price_id: priceId, product_id: textOf(values, 'product_id') },
  }),
});

const assignable = [
  ['sub_', 'subscription_id'],
  ['pi_', 'payment_intent_id'],
  ['cs_', 'session_id'],
] as const;

function assignObject(objectId: string): Action | null {
  const field = assignable.find(([prefix]) => objectId.startsWith(prefix))?.[1];
  if (field === undefined) return null;
  return {
    label: 'Assign',
    title: `Whose is ${objectId}?`,
    words: 'Says which user it belongs to, for this object alone.',
    least: 'operator',
    isOfAll: true,
    isTried: true,
    needsReason: true,
    fields: [projectField(null), { kind: 'text', name: 'user_id', label: 'User', isRequired: true }],
    request: (values) => ({
      method: 'POST',
      path: '/api/v1/admin/assign',
      body: {
        [field]: objectId,
        project_id: textOf(values, 'project_id'),
        user_id: textOf(values, 'user_id'),
      },
    }),
  };
}

/** What releases it, most general first. */
export function remedyOf(
  { awaits, objectId, reasons }: Pick<Waiting, 'awaits' | 'objectId' | 'reasons'>,
  onlyProject: string | null,
): Action | null {
  if (awaits?.startsWith('cus_') === true) return mapCustomer(awaits, onlyProject);
  if (awaits !== null && isPrice(awaits, reasons)) return mapPrice(awaits, onlyProject);
  return objectId === null ? null : assignObject(objectId);
}
