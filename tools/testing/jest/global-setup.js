import { register } from 'node:module';
import { register as registerTsx } from 'tsx/esm/api';

// jest loads its global setup outside of its own transforms, and its processes have no `--conditions=@billing/source`.
const resolveSource = `export const resolve = (specifier, context, next) =>
  next(specifier, { ...context, conditions: [...context.conditions, '@billing/source'] });`;
register(`data:text/javascript,${encodeURIComponent(resolveSource)}`);
registerTsx();

export default async function setUp() {
  const { startRunServices } = await import('../src/run-services.ts');
  globalThis.stopBillingRunServices = await startRunServices();
}
