/**
 * Users come and go: 50, 100, none. `k6 run perf/k6/staged.js`; STAGE_SECONDS (30) sets the length of each stage.
 */
import { sleep } from 'k6';
import { checkEntitlements, setup, summaryTrendStats, thresholds } from './entitlements.js';

const seconds = Number(__ENV.STAGE_SECONDS || 30);

export { setup };
export const options = {
  stages: [
    { duration: `${seconds}s`, target: 50 },
    { duration: `${seconds}s`, target: 100 },
    { duration: `${seconds}s`, target: 0 },
  ],
  thresholds,
  summaryTrendStats,
};

export default function visit() {
  checkEntitlements();
  sleep(1);
}
