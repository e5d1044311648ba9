import './load-source.js';

export default async function setUp() {
  const { prepareDatabase } = await import('../../../tests/faults/support/prepared-database.ts');
  globalThis.removePreparedDatabase = await prepareDatabase();
}
