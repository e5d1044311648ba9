import base, { journeys } from '../../jest.config.js';

export default { ...base, ...journeys, rootDir: '../..' };
