export default function tearDown() {
  globalThis.removePreparedDatabase?.();
}
