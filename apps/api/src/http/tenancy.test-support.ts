import { uniqueId } from '../testing/start-commerce.test-support.ts';

export type Tenant = {
  projectId: string;
  apiKey: string;
  keyId: string;
  priceId: string;
  stripePriceId: string;
  productId: string;
};
export type Place = 'own' | 'foreign' | 'absent' | 'twice' | 'unknown';
/** `twice`: the own project after the foreign one. */
export const places: Place[] = ['own', 'foreign', 'absent', 'twice', 'unknown'];
export type Answer = { status: number; code: string | undefined; text: string; cache: string | null };

export type Call = (
  token: string | null,
  asked: { own: Tenant; projects: string[]; userId: string },
) => Promise<Answer>;
export type ProjectCase = { call: Call; places: Place[]; twice: number; isCached?: true };

export const inQuery = (projects: string[]): string => projects.map((id) => `&project_id=${id}`).join('');
/** JSON may name a field twice; the last counts. */
export const inBody = (projects: string[], fields: object): string =>
  `{${projects.map((id) => `"project_id":"${id}",`).join('')}${JSON.stringify(fields).slice(1)}`;

type Calls = {
  grant: (fields: object) => PromiseLike<unknown>;
  /** The id of a subscription of one of the tenant's users. */
  subscribe: (own: Tenant) => Promise<string>;
  send: (token: string | null, method: string, path: string, body?: string) => Promise<Answer>;
};

const callsOf = (userId: string) => ({ user_id: userId, feature_code: 'calls', quantity: 1 });

/** The address of a reservation that is made for the call. */
async function reservationOf(
  { grant, send }: Calls,
  { own, userId }: { own: Tenant; userId: string },
): Promise<string> {
  const id = uniqueId('r');
  const fieldsOfGrant = {
    project_id: own.projectId,
    user_id: userId,
    feature_code: 'calls',
    amount: 1,
    reason: 'test',
  };
  await grant(fieldsOfGrant);
  const fields = JSON.stringify({ ...callsOf(userId), reservation_id: id });
  await send(own.apiKey, 'POST', '/api/v1/usage/reservations', fields);
  return `/api/v1/usage/reservations/${id}`;
}

/** The method and address of an admin call, in a project. */
export const fill = (route: string, projectId: string): [string, string] => {
  const [method = '', path = ''] = route.split(' ');
  const filled = path.replace('{project_id}', projectId).replaceAll(/\{\w+\}/g, 'x');
  if (path.endsWith('/top-users')) return [method.toUpperCase(), `${filled}?feature_code=x`];
  const isOfUser = path.includes('{project_id}/usage');
  return [method.toUpperCase(), isOfUser ? `${filled}?user_id=x&feature_code=x` : filled];
};

/** The calls of usage and of invoices with a project API key. */
export const usageCases = (calls: Calls): Record<string, ProjectCase> => ({
  'get /api/v1/invoices': {
    call: (token, { projects, userId }) =>
      calls.send(token, 'GET', `/api/v1/invoices?user_id=${userId}${inQuery(projects)}`),
    places,
    twice: 400,
  },
  'get /api/v1/check': {
    call: (token, { projects, userId }) =>
      calls.send(token, 'GET', `/api/v1/check?user_id=${userId}&feature_code=calls${inQuery(projects)}`),
    places,
    twice: 400,
  },
  'post /api/v1/check/batch': {
    call: (token, { projects, userId }) => {
      const fields = { user_ids: [userId, 'x'], feature_code: 'calls' };
      return calls.send(token, 'POST', '/api/v1/check/batch', inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  'post /api/v1/usage': {
    call: (token, { projects, userId }) =>
      calls.send(
        token,
        'POST',
        '/api/v1/usage',
        inBody(projects, { ...callsOf(userId), event_id: uniqueId('e') }),
      ),
    places,
    twice: 200,
  },
  'post /api/v1/usage/batch': {
    call: (token, { projects, userId }) => {
      const fields = { events: [{ ...callsOf(userId), event_id: uniqueId('e') }] };
      return calls.send(token, 'POST', '/api/v1/usage/batch', inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  'put /api/v1/usage/level': {
    call: (token, { projects, userId }) => {
      const level = { level: 1, observed_at: new Date().toISOString(), event_id: uniqueId('e') };
      const fields = { user_id: userId, feature_code: 'seats', ...level };
      return calls.send(token, 'PUT', '/api/v1/usage/level', inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  'get /api/v1/usage': {
    call: (token, { projects, userId }) =>
      calls.send(token, 'GET', `/api/v1/usage?user_id=${userId}&feature_code=calls${inQuery(projects)}`),
    places,
    twice: 400,
  },
  'get /api/v1/usage/events': {
    call: (token, { projects, userId }) =>
      calls.send(
        token,
        'GET',
        `/api/v1/usage/events?user_id=${userId}&feature_code=calls${inQuery(projects)}`,
      ),
    places,
    twice: 400,
  },
  'post /api/v1/usage/reservations': {
    call: (token, { projects, userId }) => {
      const fields = { ...callsOf(userId), reservation_id: uniqueId('r') };
      return calls.send(token, 'POST', '/api/v1/usage/reservations', inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  'get /api/v1/usage/reservations/{reservation_id}': {
    call: async (token, asked) => calls.send(token, 'GET', await reservationOf(calls, asked)),
    places: ['own'],
    twice: 0,
  },
  'post /api/v1/usage/reservations/{reservation_id}/confirm': {
    call: async (token, asked) =>
      calls.send(token, 'POST', `${await reservationOf(calls, asked)}/confirm`, '{}'),
    places: ['own'],
    twice: 0,
  },
  'post /api/v1/usage/reservations/{reservation_id}/release': {
    call: async (token, asked) =>
      calls.send(token, 'POST', `${await reservationOf(calls, asked)}/release`, '{}'),
    places: ['own'],
    twice: 0,
  },
});

/** The calls about subscriptions with a project API key. */
export function subscriptionCases({ subscribe, send }: Calls): Record<string, ProjectCase> {
  const known = new Map<string, Promise<string>>();
  const pathOf = async (own: Tenant): Promise<string> => {
    const subscribed = known.get(own.projectId) ?? subscribe(own);
    known.set(own.projectId, subscribed);
    return `/api/v1/subscriptions/${await subscribed}`;
  };
  const one = { places: ['own'] as Place[], twice: 0 };
  // Not the one that other calls cancel and pause.
  const changed = new Map<string, Promise<string>>();
  const changedOf = async (own: Tenant): Promise<string> => {
    const subscribed = changed.get(own.projectId) ?? subscribe(own);
    changed.set(own.projectId, subscribed);
    return `/api/v1/subscriptions/${await subscribed}`;
  };
  const wanted = ({ priceId }: Tenant) => ({ items: [{ price_id: priceId }] });
  return {
    'post /api/v1/subscriptions/{subscription_id}/preview': {
      call: async (token, { own, projects }) =>
        send(token, 'POST', `${await changedOf(own)}/preview`, inBody(projects, wanted(own))),
      places,
      twice: 200,
    },
    'post /api/v1/subscriptions/{subscription_id}/change': {
      call: async (token, { own, projects }) =>
        send(token, 'POST', `${await changedOf(own)}/change`, inBody(projects, wanted(own))),
      places,
      twice: 200,
    },
    'delete /api/v1/subscriptions/{subscription_id}/pending-change': {
      call: async (token, { own }) => {
        const later = { items: [{ price_id: own.priceId, quantity: 2 }], effective: 'period_end' };
        await send(own.apiKey, 'POST', `${await changedOf(own)}/change`, JSON.stringify(later));
        return send(token, 'DELETE', `${await changedOf(own)}/pending-change`);
      },
      ...one,
    },
    'get /api/v1/subscriptions': {
      call: (token, { projects, userId }) =>
        send(token, 'GET', `/api/v1/subscriptions?user_id=${userId}${inQuery(projects)}`),
      places,
      twice: 400,
    },
    'get /api/v1/subscriptions/{subscription_id}': {
      call: async (token, { own }) => send(token, 'GET', await pathOf(own)),
      ...one,
    },
    'post /api/v1/subscriptions/{subscription_id}/cancel': {
      call: async (token, { own, projects }) =>
        send(token, 'POST', `${await pathOf(own)}/cancel`, inBody(projects, { at: 'period_end' })),
      places,
      twice: 200,
    },
    'post /api/v1/subscriptions/{subscription_id}/pause': {
      call: async (token, { own }) => send(token, 'POST', `${await pathOf(own)}/pause`, '{}'),
      ...one,
    },
    'post /api/v1/subscriptions/{subscription_id}/resume': {
      call: async (token, { own }) => {
        await send(own.apiKey, 'POST', `${await pathOf(own)}/pause`, '{}');
        return send(token, 'POST', `${await pathOf(own)}/resume`, '{}');
      },
      ...one,
    },
  };
}
