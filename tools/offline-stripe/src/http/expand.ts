import { invalid } from '../errors.ts';
import { findById, type Tables } from '../state/tables.ts';
import { list } from './list.ts';

/** Lists that an object has only where `expand` names them. */
const includable: Record<string, (tables: Tables, id: string) => object | undefined> = {
  'price.tiers': (tables, id) => tables.priceTiers.get(id)?.tiers,
  'invoice.payments': (tables, id) =>
    list(tables.invoicePayments.by(id), false, `/v1/invoice_payments?invoice=${id}`),
  'charge.refunds': (tables, id) =>
    list(
      tables.refunds.newestFirst().filter((refund) => refund.charge === id),
      false,
      `/v1/charges/${id}/refunds`,
    ),
  'checkout.session.line_items': (tables, id) =>
    list(tables.checkoutPlans.get(id)?.line_items ?? [], false, `/v1/checkout/sessions/${id}/line_items`),
  'customer.subscriptions': (tables, id) =>
    list(
      tables.subscriptions.newestFirst().filter((row) => row.customer === id && row.status !== 'canceled'),
      false,
      `/v1/customers/${id}/subscriptions`,
    ),
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object that an id names, or those of a list of ids; objects stay as they are. */
function objectsOf(tables: Tables, value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => objectsOf(tables, entry, field));
  const whole = typeof value === 'string' ? findById(tables, value) : value;
  if (whole === undefined) throw invalid(`This property cannot be expanded (${field}).`, 'expand');
  return whole;
}

function expandOne(tables: Tables, node: unknown, path: readonly string[]): unknown {
  const [field, ...rest] = path;
  if (field === undefined || node === null) return node;
  if (Array.isArray(node)) return node.map((entry) => expandOne(tables, entry, path));
  if (!isRecord(node)) return node;
  if (node[field] === null) return node;
  const makeList = includable[`${String(node['object'])}.${field}`];
  const value = node[field] ?? makeList?.(tables, String(node['id']));
  if (value === undefined || (!Object.hasOwn(node, field) && makeList === undefined)) {
    throw invalid(`This property cannot be expanded (${field}).`, 'expand');
  }
  return { ...node, [field]: expandOne(tables, objectsOf(tables, value, field), rest) };
}

/** Replaces ids by the objects they name, along paths such as `data.latest_invoice.payments` (at most four deep). */
export function expandPaths(tables: Tables, answer: object, paths: readonly string[]): unknown {
  let expanded: unknown = answer;
  for (const path of paths) {
    const fields = path.split('.');
    if (fields.length > 4 + (fields[0] === 'data' ? 1 : 0)) {
      throw invalid('You cannot expand more than 4 levels of a property.', 'expand');
    }
    expanded = expandOne(tables, expanded, fields);
  }
  return expanded;
}
