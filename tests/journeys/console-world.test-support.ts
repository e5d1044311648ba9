import { waitFor } from '@billing/testing';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { findViolations, untilQuiet } from './console.test-support.ts';
import type { ConsoleSystem, OpenPage } from './console.test-support.ts';

export type World = { projectId: string; userId: string; eventId: string; endpointId: string; runId: string };

/** Something on every page. */
export async function fillConsole(system: ConsoleSystem): Promise<World> {
  const { projectId, apiKey } = await system.createProject();
  const price = await system.sell(projectId);
  const userId = uniqueId('user');
  const { body } = await system
    .checkout(apiKey, system.order(price.priceId, { user_id: userId }))
    .expect(200);
  await system.pay(body.session_id);
  await system.awaitFeatures(apiKey, userId, ['premium']);
  await system
    .admin('post', `/projects/${projectId}/features`, {
      feature_code: 'calls',
      kind: 'metered',
      unit: 'call',
    })
    .expect(201);
  const grant = {
    project_id: projectId,
    user_id: userId,
    feature_code: 'calls',
    amount: 100,
    reason: 'Test',
  };
  await system.admin('post', '/grant', grant).expect(201);
  const adjust = {
    project_id: projectId,
    user_id: userId,
    feature_code: 'calls',
    quantity: 30,
    reason: 'Test',
  };
  await system.admin('post', '/usage/adjust', adjust).expect(200);
  const endpoint = await system
    .admin('post', `/projects/${projectId}/webhook-endpoints`, { url: 'http://127.0.0.1:9/hook' })
    .expect(201);
  const run = await system.admin('post', '/reconcile', { dry_run: true, project_id: projectId }).expect(202);
  const events = await system.admin('get', '/events?limit=1').expect(200);
  return {
    projectId,
    userId,
    eventId: events.body.data[0].event_id,
    endpointId: endpoint.body.endpoint_id,
    runId: run.body.run_id,
  };
}

export const pagesOf = ({ projectId, userId, eventId, endpointId, runId }: World): string[] => {
  const project = `/projects/${projectId}`;
  return [
    '/',
    `/find?q=${userId}&list=1`,
    '/find?q=nothing',
    ...['why', 'timeline', 'usage', 'customers'].map((tab) => `/users/${projectId}/${userId}?tab=${tab}`),
    '/projects',
    project,
    ...['products', 'prices', 'features'].map((tab) => `${project}/catalog?tab=${tab}`),
    `${project}/webhooks`,
    `${project}/webhooks/${endpointId}`,
    `${project}/usage?feature_code=calls`,
    `${project}/usage?feature_code=calls&user_id=${userId}`,
    ...['subscriptions', 'purchases', 'duplicates', 'revenue'].map(
      (tab) => `/sold?tab=${tab}&project_id=${projectId}`,
    ),
    '/events?status=applied',
    `/events/${eventId}`,
    '/quarantine',
    '/runs',
    `/runs/${runId}`,
    `/audit?project_id=${projectId}`,
    '/queues',
    '/access',
    '/nowhere',
  ];
};

/** On a narrow screen no table scrolls by itself: its cells stand below each other. */
const sidewaysTables = (page: OpenPage['page']): Promise<string[]> =>
  page.evaluate<string[]>(`[...document.querySelectorAll('.scroll:has(table)')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.getAttribute('aria-label') + ' scrolls sideways')`);

/** Every page, with what is wrong with it. */
export async function walk(
  { page, reports, go }: OpenPage,
  { paths, width }: { paths: string[]; width: number },
): Promise<Record<string, string[]>> {
  const wrong: Record<string, string[]> = {};
  const shots = process.env['CONSOLE_SHOTS'];
  for (const path of paths) {
    await go(path);
    await untilQuiet(page);
    const measure = () => page.evaluate<number>('document.documentElement.scrollWidth');
    // While it is laid out it may be wider for a moment.
    await waitFor(async () => (await measure()) <= width, { timeoutMs: 3_000, what: 'its width' }).catch(
      () => undefined,
    );
    const wide = await measure();
    const failed = await page.getByRole('alert').allInnerTexts();
    const found = [
      ...reports.splice(0),
      ...(await findViolations(page)),
      ...(wide > width ? [`It is ${wide} px wide.`] : []),
      ...(width < 640 ? await sidewaysTables(page) : []),
      ...failed.filter((text) => /wrong|no such thing|may not/i.test(text)),
      ...((await page.title()).endsWith(' · Billing console') ? [] : ['It has no name.']),
    ];
    if (found.length > 0) wrong[path] = found;
    if (shots !== undefined)
      await page.screenshot({ path: `${shots}/${width}${path.replaceAll(/\W+/g, '-')}.png`, fullPage: true });
  }
  return wrong;
}
