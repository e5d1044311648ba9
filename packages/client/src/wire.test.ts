import * as fc from 'fast-check';
import { batchResponse, entitlementsResponse, reasons } from '@billing/domain';
import type * as domain from '@billing/domain';
import { answer, entitlement } from './answers.test-support.ts';
import {
  isBatchResponse,
  isCheckoutResponse,
  isEntitlementsResponse,
  isPortalResponse,
} from './check-answer.ts';
import type * as sent from './webhook-wire.ts';
import type * as wire from './wire.ts';

/** True if each type takes every value of the other; `exactOptionalPropertyTypes` makes that strict. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;

// `npm run typecheck` fails here when the service's contract and the package's own types differ.
const sameTypes: [
  Same<wire.Entitlement, domain.EntitlementOut>,
  Same<wire.Explanation, domain.ExplanationOut>,
  Same<wire.EntitlementsResponse, domain.EntitlementsResponse>,
  Same<wire.BatchResponse, ReturnType<typeof domain.batchResponse.parse>>,
  Same<wire.CheckoutRequest, (typeof domain.checkoutRequest)['_zod']['input']>,
  Same<wire.CheckoutResponse, domain.CheckoutResponse>,
  Same<wire.PortalRequest, domain.PortalRequest>,
  Same<wire.PortalResponse, domain.PortalResponse>,
  Same<wire.InvoiceList, domain.InvoiceList>,
  Same<wire.ConfirmCustomerRequest, domain.ConfirmCustomerRequest>,
  Same<wire.ConfirmedCustomer, domain.ConfirmedCustomer>,
  Same<wire.OwnerSource, domain.OwnerSource>,
  Same<wire.FieldProblem, domain.FieldProblem>,
  Same<wire.ExplanationReason, domain.Reason>,
  Same<wire.EntitlementSource, domain.SourceKind>,
  // The package names only the codes that a project's calls can meet, and none that does not exist.
  Same<Exclude<wire.ServiceErrorCode, domain.ErrorCode>, never>,
  Same<sent.WebhookMessage, domain.WebhookBody>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true];

const timestamp = fc
  .date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());
const timestampOrNull = fc.option(timestamp);
const source = fc.constantFrom('subscription', 'purchase', 'manual');

const validity = {
  source,
  source_id: fc.string(),
  status: fc.string(),
  valid_from: timestampOrNull,
  valid_to: timestampOrNull,
  current_period_end: timestampOrNull,
  quantity: fc.integer(),
  confirmed: fc.boolean(),
};
const anyEntitlement = fc.record({ feature_code: fc.string(), is_active: fc.constant(true), ...validity });
const anyExplanation = fc.record({
  ...validity,
  stripe_price_id: fc.option(fc.string()),
  feature_codes: fc.array(fc.string()),
  in_force: fc.boolean(),
  reason: fc.constantFrom(...reasons),
  last_event: fc.option(fc.record({ event_id: fc.string(), type: fc.string(), created: timestamp })),
});
const anyAnswer = fc.record(
  {
    user_id: fc.string(),
    project_id: fc.string(),
    entitlements: fc.array(anyEntitlement, { maxLength: 3 }),
    version: fc.integer(),
    as_of: timestamp,
    valid_until: timestampOrNull,
    checked_at: timestamp,
    explanation: fc.array(anyExplanation, { maxLength: 3 }),
  },
  {
    requiredKeys: ['user_id', 'project_id', 'entitlements', 'version', 'as_of', 'valid_until', 'checked_at'],
  },
);

test('the types are those of the contract', () => {
  expect(sameTypes).not.toContain(false);
});

test('every answer that fits the contract is accepted', () => {
  fc.assert(
    fc.property(anyAnswer, (value) => {
      expect(entitlementsResponse.safeParse(value).success).toBe(true);
      expect(isEntitlementsResponse(value)).toBe(true);
      const batch = { project_id: value.project_id, results: [value] };
      expect(batchResponse.safeParse(batch).success).toBe(true);
      expect(isBatchResponse(batch)).toBe(true);
    }),
  );
});

test('what a newer service may add is accepted', () => {
  const newer = { ...entitlement(), seat_limit: 5, source: 'promotion' };
  expect(isEntitlementsResponse({ ...answer(), region: 'eu', entitlements: [newer] })).toBe(true);
});

const requiredFields = [
  'user_id',
  'project_id',
  'entitlements',
  'version',
  'as_of',
  'valid_until',
  'checked_at',
] as const;

test.each(requiredFields)('an answer without %s, or with a wrong one, is refused', (field) => {
  const { [field]: _, ...rest } = answer();
  expect(isEntitlementsResponse(rest)).toBe(false);
  expect(isEntitlementsResponse({ ...rest, [field]: { not: 'this' } })).toBe(false);
});

test.each(Object.keys(entitlement()))('an entitlement with a wrong %s is refused', (field) => {
  const broken = { ...entitlement(), [field]: [] };
  expect(isEntitlementsResponse({ ...answer(), entitlements: [broken] })).toBe(false);
  expect(isEntitlementsResponse({ ...answer(), explanation: [broken] })).toBe(false);
});

test.each([null, undefined, 'text', 7, [], {}, [answer()]])('%p is no answer of any kind', (value) => {
  expect(isEntitlementsResponse(value)).toBe(false);
  expect(isBatchResponse(value)).toBe(false);
  expect(isCheckoutResponse(value)).toBe(false);
  expect(isPortalResponse(value)).toBe(false);
});
