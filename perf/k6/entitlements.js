/** What both k6 tests have in common: the environment, one entitlement check, its checks. */
import http from 'k6/http';
import { check, fail } from 'k6';

const host = (__ENV.HOST || 'http://127.0.0.1:8000').replace(/\/$/, '');
const prefix = __ENV.USER_PREFIX || 'load-user-';
const users = Number(__ENV.USER_COUNT || 1000);

/** Ends the test before it begins when the service does not answer rightly. */
export function setup() {
  if (!__ENV.API_KEY) fail('Set API_KEY in the environment; `npm run seed:load` prints it.');
  const response = request();
  if (response.status !== 200) fail(`The first check answered ${response.status}: ${response.body}`);
}

function request() {
  const userId = `${prefix}${1 + Math.floor(Math.random() * users)}`;
  return http.get(`${host}/api/v1/entitlements?user_id=${userId}`, {
    headers: { authorization: `Bearer ${__ENV.API_KEY}` },
    tags: { name: 'check_entitlements' },
  });
}

/** One entitlement check of a random user. */
export function checkEntitlements() {
  check(request(), {
    'status is 200': (response) => response.status === 200,
    'has entitlements': (response) => response.status === 200 && Array.isArray(response.json('entitlements')),
  });
}

/** Limits that make k6 end with exit code 99 and a line that names the broken one. */
export const thresholds = {
  'http_req_duration{name:check_entitlements}': [`p(95)<${__ENV.LIMIT_ENTITLEMENTS_P95_MS || 100}`],
  http_req_failed: ['rate<0.01'],
  checks: ['rate>0.99'],
};

export const summaryTrendStats = ['avg', 'med', 'p(95)', 'p(99)', 'max'];
