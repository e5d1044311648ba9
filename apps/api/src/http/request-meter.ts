import type { Metrics } from '@billing/platform';

type Recorder = { observe: (seconds: number) => void; count: () => void };

/** `startedAt`: from `performance.now()`. */
export type RequestMeter = (method: string, route: string, statusCode: number, startedAt: number) => void;

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts and times answers. Looking labels up costs more than counting: the children are kept. */
export function createRequestMeter(
  metrics: Pick<Metrics, 'httpRequestDuration' | 'httpRequests'>,
): RequestMeter {
  const recorders = new Map<string, Recorder>();

  function recorderOf(method: string, route: string, statusCode: number): Recorder {
    const key = `${method} ${statusCode} ${route}`;
    const known = recorders.get(key);
    if (known !== undefined) return known;
    const labels = [knownMethods.has(method) ? method : 'OTHER', route, String(statusCode)] as const;
    const duration = metrics.httpRequestDuration.labels(...labels);
    const requests = metrics.httpRequests.labels(...labels);
    const recorder = {
      observe: (seconds: number) => duration.observe(seconds),
      count: () => requests.inc(),
    };
    recorders.set(key, recorder);
    return recorder;
  }

  return (method, route, statusCode, startedAt) => {
    const recorder = recorderOf(method, route, statusCode);
    recorder.observe((performance.now() - startedAt) / 1000);
    recorder.count();
  };
}
