import type { Metrics } from './metrics.ts';

export type MeteredRequest = {
  method: string;
  route: string;
  statusCode: number;
  /** From `performance.now()`. */
  startedAt: number;
  /** Of a traced request: becomes the exemplar of its duration. */
  traceId?: string | undefined;
};
/** Counts an answer, and times it if a handler gave it. */
export type RequestMeter = (answered: MeteredRequest) => void;

export type MeteredRoute = {
  /** The label, a pattern. */
  route: string;
  /** What this address answers to; every other method is 405. */
  methods: readonly string[];
  /** What a caller without a login can get here, besides 405. */
  openStatuses: readonly number[];
};

/** The label of an address that no route has, and of what is refused before a route is looked for. */
export const unmatchedRoute = 'unmatched';

const otherMethod = 'OTHER';
const knownMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
const methodLabels = [...knownMethods, otherMethod];

/** Refusals that no handler gives: for the credentials, the method, the form of the body, the rate. */
const refusedBeforeHandler: ReadonlySet<number> = new Set([401, 405, 413, 415, 429]);
const openToAll = [400, 401, 404, 405, 429];

type Recorder = { observe: (seconds: number, traceId: string | undefined) => void; count: () => void };
const isTimed = (route: string, statusCode: number): boolean =>
  route !== unmatchedRoute && !refusedBeforeHandler.has(statusCode);

/**
 * Meters the requests of a process. What is refused before a handler is counted and not timed: it says nothing about
 * a route's speed. All series that a caller without a login can cause exist from the start, so that nobody from
 * outside makes the metrics grow. Looking labels up costs more than counting: prom-client's children are kept.
 */
export function createRequestMeter(
  metrics: Pick<Metrics, 'httpRequestDuration' | 'httpRequests' | 'exemplars'>,
  routes: readonly MeteredRoute[],
): RequestMeter {
  const recorders = new Map<string, Recorder>();

  function recorderOf(method: string, route: string, statusCode: number): Recorder {
    const key = `${method} ${statusCode} ${route}`;
    const known = recorders.get(key);
    if (known !== undefined) return known;
    const labels = [knownMethods.has(method) ? method : otherMethod, route, String(statusCode)] as const;
    const requests = metrics.httpRequests.labels(...labels);
    requests.inc(0);
    const recorder = { observe: observerOf(labels, isTimed(route, statusCode)), count: () => requests.inc() };
    recorders.set(key, recorder);
    return recorder;
  }

  function observerOf(
    labels: readonly [method: string, route: string, statusCode: string],
    timed: boolean,
  ): Recorder['observe'] {
    if (!timed) return () => {};
    const [method, route, status_code] = labels;
    metrics.httpRequestDuration.zero({ method, route, status_code });
    const duration = metrics.httpRequestDuration.labels(...labels);
    return (seconds, traceId) => {
      duration.observe(seconds);
      if (traceId !== undefined)
        metrics.exemplars.note('http_request_duration_seconds', {
          labels: { method, route, status_code },
          value: seconds,
          traceId,
        });
    };
  }

  for (const { method, route, statusCode } of openSeries(routes)) recorderOf(method, route, statusCode);
  return ({ method, route, statusCode, startedAt, traceId }) => {
    const recorder = recorderOf(method, route, statusCode);
    recorder.observe((performance.now() - startedAt) / 1000, traceId);
    recorder.count();
  };
}

type Series = Pick<MeteredRequest, 'method' | 'route' | 'statusCode'>;

/** What a caller without a login can cause. */
function openSeries(routes: readonly MeteredRoute[]): Series[] {
  const refused = methodLabels.flatMap((method) =>
    openToAll.map((statusCode) => ({ method, route: unmatchedRoute, statusCode })),
  );
  return routes.reduce<Series[]>((series, { route, methods, openStatuses }) => {
    const wrong = methodLabels.filter((method) => !methods.includes(method));
    const answered = methods.flatMap((method) =>
      openStatuses.map((statusCode) => ({ method, route, statusCode })),
    );
    return [...series, ...wrong.map((method) => ({ method, route, statusCode: 405 })), ...answered];
  }, refused);
}
