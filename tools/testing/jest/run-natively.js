import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import './load-source.js';

const require = createRequire(import.meta.url);
const { default: runCircus } = require('jest-circus/runner');

/**
 * jest's own runner with one difference: Node itself loads the test file and all that it imports, once for a process. In
 * jest's sandbox each test file loads the whole service and its libraries anew, which takes seconds, and all of it runs slower.
 * What this costs: no mocks of modules, no fake timers, and module-level state is shared by the test files of a process.
 */
export default function runNatively(...given) {
  const [globalConfig, config, environment, , testPath, sendMessage] = given;
  // jest put a `prepareStackTrace` of its own here, which knows only what its sandbox loaded; Node's knows all.
  Error.prepareStackTrace = undefined;
  process.setSourceMapsEnabled(true);
  const native = {
    requireModule: require,
    requireInternalModule: loadAnew,
    setGlobalsForRuntime: (globals) => void Object.assign(globalThis, globals),
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (path) => import(pathToFileURL(path).href),
    enterTestCode: () => undefined,
    leaveTestCode: () => undefined,
  };
  return runCircus(globalConfig, config, environment, native, testPath, sendMessage).finally(forgetTests);
}

let circus = '';

/** jest's framework holds the tests of one file: each gets its own. */
function loadAnew(path) {
  circus = path;
  return require(path);
}

function forgetTests() {
  delete require.cache[circus];
  for (const key of Object.getOwnPropertySymbols(globalThis))
    if (key === Symbol.for('EVENT_HANDLERS') || key.description === 'JEST_STATE_SYMBOL')
      Reflect.deleteProperty(globalThis, key);
}
