import Sequencer from '@jest/test-sequencer';

/**
 * Where jest has not measured yet (a fresh clone, CI) it takes a large file for a long one. The tests of whole systems
 * and processes are small and long: started last, one of them keeps a core busy while the other is idle.
 */
export default class WholeSystemsFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isLong = ({ path }) => /[\\/]tests[\\/]|process|main\.test|cli[\\/]src[\\/]import[\\/]/.test(path);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
