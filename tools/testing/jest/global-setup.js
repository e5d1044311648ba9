import { register } from 'node:module';

register('./ts-hooks.js', import.meta.url);

export default async function setUp() {
  const { startRunServices } = await import('../src/jest/global-setup.ts');
  globalThis.stopBillingRunServices = await startRunServices();
}
