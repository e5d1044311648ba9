export { runBilling } from './commands/run-billing.ts';
