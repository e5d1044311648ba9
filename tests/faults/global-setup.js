import '../../tools/testing/jest/load-source.js';

export default async function setUp() {
  const { prepareDatabase } = await import('./support/prepared-database.ts');
  globalThis.removePreparedDatabase = await prepareDatabase();
}
