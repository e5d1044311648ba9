import { readBlocks } from '@billing/testing';
import request from 'supertest';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { root } from './guide.test-support.ts';
import { startWholeSystem } from './whole-system.test-support.ts';

type Answer = { entitlements: [Record<string, unknown>, ...Record<string, unknown>[]] };

/** Every field, in order, with the type of what it holds. */
const shapeOf = ({ entitlements: [entry], ...answer }: Answer) =>
  [answer, entry].map((fields) =>
    Object.entries(fields).map(([name, value]) => [name, value === null ? 'null' : typeof value]),
  );

test("the README's answer has the fields of a real one", async () => {
  const shown = readBlocks(`${root}README.md`).find(({ text }) => text.includes('"entitlements"'));
  const system = await startWholeSystem();
  try {
    const { projectId, apiKey } = await system.createProject();
    const { priceId } = await system.sell(projectId, { featureCodes: ['premium_export'] });
    const userId = uniqueId('user');
    const order = system.order(priceId, { user_id: userId, mode: 'subscription' });
    const { body } = await system.checkout(apiKey, order).expect(200);
    await system.pay(body.session_id);
    await system.awaitFeatures(apiKey, userId, ['premium_export']);
    const { body: answer } = await request(system.url)
      .get('/api/v1/entitlements')
      .query({ user_id: userId })
      .set('authorization', `Bearer ${apiKey}`);
    expect(shapeOf(JSON.parse(shown?.text ?? '{}'))).toEqual(shapeOf(answer));
  } finally {
    await system.close();
  }
});
