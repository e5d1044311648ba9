import { policyOverrides, resolvePolicy } from '@billing/domain';
import type { ProjectOut } from '@billing/domain';
import { checkoutDefaultsOf } from '@billing/store';
import type { Project } from '@billing/store';
import type { ApiConfig } from '../../config.ts';
import { datesExample, presentDates } from '../page.ts';

export const presentProject = (
  row: Project,
  { pastDueGraceDays }: Pick<ApiConfig, 'pastDueGraceDays'>,
): ProjectOut => ({
  project_id: row.id,
  name: row.name,
  description: row.description,
  is_active: row.isActive,
  policy: resolvePolicy(policyOverrides.parse(row.policy), pastDueGraceDays),
  redirect_origins: row.redirectOrigins,
  checkout_defaults: checkoutDefaultsOf(row),
  portal_configuration: row.portalConfiguration,
  ...presentDates(row),
});

export const projectExample = {
  project_id: 'shop',
  name: 'Shop',
  description: null,
  is_active: true,
  policy: {
    past_due_grace_days: 7,
    unpaid: 'deny',
    paused: 'deny',
    incomplete: 'deny',
    pause_collection: 'allow',
    partial_refund_threshold: 1,
    dispute: 'hold',
    accept_buyer_hints: 'grant',
    past_due_allowance: 'grant',
    usage_timezone: 'UTC',
  },
  redirect_origins: ['https://app.example.com'],
  checkout_defaults: { allow_promotion_codes: true },
  portal_configuration: null,
  ...datesExample,
};
