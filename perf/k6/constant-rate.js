/**
 * Open loop: RATE checks a second (100) for DURATION (30s), however slow the answers are. A service that falls behind
 * shows in the latency and in `dropped_iterations`. `k6 run -e RATE=1000 perf/k6/constant-rate.js`
 */
import { checkEntitlements, setup, summaryTrendStats, thresholds } from './entitlements.js';

const rate = Number(__ENV.RATE || 100);

export { setup };
export const options = {
  scenarios: {
    checks: {
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: '1s',
      duration: __ENV.DURATION || '30s',
      preAllocatedVUs: Math.max(20, Math.ceil(rate / 10)),
      maxVUs: Math.max(100, rate),
    },
  },
  // A run that could not keep up its rate has not tested it.
  thresholds: { ...thresholds, dropped_iterations: [`count<${rate}`] },
  summaryTrendStats,
};

export default checkEntitlements;
