import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openBrowser } from '@billing/testing/browser';
import type { Browser, Locator, Page } from 'playwright-core';
import { testAdmin } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';
import type { WholeSystem } from './whole-system.test-support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const consoleDist = fileURLToPath(new URL('../../apps/console/dist', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const buildConsole = async (): Promise<void> => {
  await promisify(execFile)('npm', ['run', 'build', '--', '--filter=@billing/console...'], { cwd: root });
};

export type Viewer = { name: string; secret: string };
export const viewer: Viewer = { name: 'watcher', secret: `viewer-${'v'.repeat(24)}` };
/** May do what an operator may, in one project, which a test has to make. */
export const limited = {
  name: 'helper',
  secret: `limited-${'l'.repeat(24)}`,
  projectId: 'shop_of_helper',
} as const;

export type OpenPage = {
  page: Page;
  /** What the browser reported: refusals of the page's policy, errors of its scripts. */
  reports: string[];
  go: (path: string) => Promise<void>;
};

export type ConsoleSystem = WholeSystem & {
  /** A signed-in page of its own. */
  open: (options?: { as?: Viewer; width?: number; colours?: 'light' | 'dark' }) => Promise<OpenPage>;
};

/** The whole system with the console's real build, and a browser. */
export async function startConsole(): Promise<ConsoleSystem> {
  await buildConsole();
  const keys = [
    `${testAdmin.name}:${testAdmin.secret}`,
    `${viewer.name}/viewer:${viewer.secret}`,
    `${limited.name}/operator/${limited.projectId}:${limited.secret}`,
  ].join(',');
  const system = await startWholeSystem({ ADMIN_API_KEY: keys }, { consoleDirectory: consoleDist });
  const browser: Browser = await openBrowser();
  return {
    ...system,
    open: async ({ as = testAdmin, width = 1280, colours = 'light' } = {}) => {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme: colours,
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const reports: string[] = [];
      page.on('console', (message) => {
        if (/Content Security Policy|Warning:|cannot be a descendant/.test(message.text()))
          reports.push(message.text());
      });
      page.on('pageerror', (error) => reports.push(String(error)));
      const go = async (path: string): Promise<void> => {
        await page.goto(`${system.url}/console${path}`);
        await untilQuiet(page);
      };
      await page.goto(`${system.url}/console/access`);
      await signIn(page, as);
      await page.locator('nav[aria-label=Pages]').waitFor({ state: 'attached' });
      return { page, reports, go };
    },
    close: async () => {
      await browser.close();
      await system.close();
    },
  };
}

/** An input by its label, which has a star where the input is required. */
export const byLabel = (scope: Page | Locator, label: string): Locator =>
  scope.getByLabel(new RegExp(`^${label}( \\*)?$`));

export async function signIn(page: Page, { name, secret }: Viewer): Promise<void> {
  await byLabel(page, 'Name').fill(name);
  await byLabel(page, 'Secret').fill(secret);
  await page.keyboard.press('Enter');
}

/** Until nothing loads any more: the page says so by its states. */
export async function untilQuiet(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.locator('[aria-label=Loading]').first().waitFor({ state: 'detached' });
}

type Violation = { id: string; nodes: { html: string; failureSummary: string }[] };

/** What axe finds against WCAG 2.2 AA, in few words. Its script comes from outside of the page, past its policy. */
export async function findViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)} })`,
  );
  return violations.map(
    ({ id, nodes: [node] }) =>
      `${id}: ${node?.html ?? ''} (${node?.failureSummary.replaceAll(/\s+/g, ' ') ?? ''})`,
  );
}

/** Presses Tab until what has the focus has this name. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const focused =
    "(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent ?? '').trim()";
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await page.evaluate<string>(focused)).replace(/ \*$/, '') === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`No Tab leads to ${name}.`);
}
