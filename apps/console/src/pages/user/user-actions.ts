import type { FeatureOut, ProductOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useWholeList } from '../../api/reads.ts';
import type { Action } from '../../parts/action-type.ts';
import { adjustAction, eraseAction, grantAction } from './access-actions.ts';
import { exportAction } from './export-action.tsx';
import { assignAction, takeCustomerAction } from './owner-actions.ts';
import type { UserKey } from './user-key.ts';

type FeatureCodes = {
  all: string[];
  counted: string[];
  /** It is on or off, as far as is known: there is nothing to count. */
  isOnOff: (code: string) => boolean;
};

/** The codes of a project: of its features, and of what its products give. */
function useFeatureCodes(projectId: string): FeatureCodes {
  const features = useWholeList<FeatureOut>(pathOf`/api/v1/admin/projects/${projectId}/features`);
  const products = useWholeList<ProductOut>(pathOf`/api/v1/admin/projects/${projectId}/products`);
  const described = features.data ?? [];
  const codes = [
    ...described.map(({ feature_code: code }) => code),
    ...(products.data ?? []).flatMap(({ feature_codes: given }) => given),
  ];
  const kinds = new Map(described.map(({ feature_code: code, kind }) => [code, kind]));
  return {
    all: [...new Set(codes)].toSorted(),
    isOnOff: (code) => features.data !== undefined && (kinds.get(code) ?? 'boolean') === 'boolean',
    counted: described
      .filter(({ kind, counted }) => kind === 'metered' || counted)
      .map(({ feature_code: code }) => code),
  };
}

/** What can be done for or to a user; the most usual first. */
export function useUserActions(of: UserKey): Action[] {
  const { all, counted, isOnOff } = useFeatureCodes(of.projectId);
  return [
    grantAction(of, { codes: all, isOnOff }),
    ...(counted.length === 0 ? [] : [adjustAction(of, counted)]),
    assignAction(of),
    takeCustomerAction(of),
    exportAction(of),
    eraseAction(of),
  ];
}
