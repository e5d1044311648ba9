import type { NamedUser } from '../order/erased.ts';
import { isId } from '../ids.ts';
import { isRecord } from './fields.ts';

const recordAt = (value: unknown, field: string): Record<string, unknown> => {
  const inner = isRecord(value) ? value[field] : undefined;
  return isRecord(inner) ? inner : {};
};

/** Wherever the projection of an event keeps the id of a user: metadata, and what a buyer can type. */
export function namedUsers(payload: unknown): NamedUser[] {
  const object = recordAt(recordAt(payload, 'data'), 'object');
  const own = recordAt(object, 'metadata');
  const ofSubscription = recordAt(recordAt(object, 'subscription_details'), 'metadata');
  const ofParent = recordAt(recordAt(recordAt(object, 'parent'), 'subscription_details'), 'metadata');
  const hint = { user_id: object['client_reference_id'], project_id: own['project_id'] };
  return [own, ofSubscription, ofParent, hint].flatMap(({ user_id: userId, project_id: projectId }) =>
    isId(userId) ? [{ userId, projectId: isId(projectId) ? projectId : null }] : [],
  );
}
