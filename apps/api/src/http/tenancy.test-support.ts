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

type Calls = {
  grant: (fields: object) => PromiseLike<unknown>;
  send: (token: string | null, method: string, path: string, body?: string) => Promise<Answer>;
  inQuery: (projects: string[]) => string;
  inBody: (projects: string[], fields: object) => string;
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
      calls.send(token, 'GET', `/api/v1/invoices?user_id=${userId}${calls.inQuery(projects)}`),
    places,
    twice: 400,
  },
  'get /api/v1/check': {
    call: (token, { projects, userId }) =>
      calls.send(
        token,
        'GET',
        `/api/v1/check?user_id=${userId}&feature_code=calls${calls.inQuery(projects)}`,
      ),
    places,
    twice: 400,
  },
  'post /api/v1/check/batch': {
    call: (token, { projects, userId }) => {
      const fields = { user_ids: [userId, 'x'], feature_code: 'calls' };
      return calls.send(token, 'POST', '/api/v1/check/batch', calls.inBody(projects, fields));
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
        calls.inBody(projects, { ...callsOf(userId), event_id: uniqueId('e') }),
      ),
    places,
    twice: 200,
  },
  'post /api/v1/usage/batch': {
    call: (token, { projects, userId }) => {
      const fields = { events: [{ ...callsOf(userId), event_id: uniqueId('e') }] };
      return calls.send(token, 'POST', '/api/v1/usage/batch', calls.inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  'put /api/v1/usage/level': {
    call: (token, { projects, userId }) => {
      const level = { level: 1, observed_at: new Date().toISOString(), event_id: uniqueId('e') };
      const fields = { user_id: userId, feature_code: 'seats', ...level };
      return calls.send(token, 'PUT', '/api/v1/usage/level', calls.inBody(projects, fields));
    },
    places,
    twice: 200,
  },
  'get /api/v1/usage': {
    call: (token, { projects, userId }) =>
      calls.send(
        token,
        'GET',
        `/api/v1/usage?user_id=${userId}&feature_code=calls${calls.inQuery(projects)}`,
      ),
    places,
    twice: 400,
  },
  'get /api/v1/usage/events': {
    call: (token, { projects, userId }) =>
      calls.send(
        token,
        'GET',
        `/api/v1/usage/events?user_id=${userId}&feature_code=calls${calls.inQuery(projects)}`,
      ),
    places,
    twice: 400,
  },
  'post /api/v1/usage/reservations': {
    call: (token, { projects, userId }) => {
      const fields = { ...callsOf(userId), reservation_id: uniqueId('r') };
      return calls.send(token, 'POST', '/api/v1/usage/reservations', calls.inBody(projects, fields));
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
