export { assignRequestId, requestIdFor, requestIdOf } from '@billing/platform';
