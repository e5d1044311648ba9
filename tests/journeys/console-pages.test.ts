import { browserPath } from '@billing/testing/browser';
import { startConsole } from './console.test-support.ts';
import type { ConsoleSystem } from './console.test-support.ts';
import { fillConsole, pagesOf, walk } from './console-world.test-support.ts';
import type { World } from './console-world.test-support.ts';

const describeWithBrowser = browserPath === undefined ? describe.skip : describe;

let system: ConsoleSystem;
let world: World;

describeWithBrowser('every page', () => {
  beforeAll(async () => {
    system = await startConsole();
    world = await fillConsole(system);
  }, 180_000);
  afterAll(() => system.close());

  test.each([
    [1280, 'light'],
    [360, 'dark'],
  ] as const)(
    'at %i px in %s colours: axe finds nothing, the policy refuses nothing, nothing is cut off',
    async (width, colours) => {
      const opened = await system.open({ width, colours });
      expect(await walk(opened, { paths: pagesOf(world), width })).toEqual({});
    },
    300_000,
  );
});
