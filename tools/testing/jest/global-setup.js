import './load-source.js';

export default async function setUp() {
  const { startRunServices } = await import('../src/run-services.ts');
  globalThis.stopBillingRunServices = await startRunServices();
}
