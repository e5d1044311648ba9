import { createHmac } from 'node:crypto';
import { recordTries, resendMessage } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startWebhookWorld } from '../support/webhook-world.test-support.ts';
import type { Arrival, WebhookWorld } from '../support/webhook-world.test-support.ts';

let world: WebhookWorld;

beforeAll(async () => {
  world = await startWebhookWorld({
    env: { WEBHOOK_RETRY_SCHEDULE: '0,0.2,0.4', WEBHOOK_TIMEOUT_SECONDS: '1' },
  });
});
afterAll(() => world.close());

const actor = { name: 'ann', requestId: null };

/** As receivers compute it. */
function signatureOf(secret: string, arrival: Arrival | undefined): string {
  const signed = `${arrival?.id}.${String(arrival?.headers['webhook-timestamp'])}.${arrival?.body}`;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

test('a message arrives once, signed, and what came back is kept', async () => {
  const endpointId = await world.makeEndpoint();
  const messageId = await world.tell([endpointId]);
  await world.untilDone(endpointId);
  const [arrival, ...more] = world.receiver.at(endpointId);
  expect(more).toEqual([]);
  const endpoint = await world.endpoint(endpointId);
  const secret = world.secrets.newest(endpoint) ?? '';
  expect(arrival?.headers['webhook-signature']).toBe(signatureOf(secret, arrival));
  expect(arrival?.id).toBe(messageId);
  expect(endpoint).toMatchObject({ failingSince: null, lastSuccessAt: expect.any(Date) });
  expect(await world.deliveriesOf(messageId)).toMatchObject([
    { status: 'succeeded', attempts: 1, nextTryAt: null, claimedUntil: null },
  ]);
  expect(await world.attemptsOf(messageId)).toMatchObject([
    { endpointId, status: 204, error: null, response: '', isResend: false },
  ]);
});

test('all tries have one id and body, wait as scheduled, and after the last it has failed', async () => {
  const endpointId = await world.makeEndpoint();
  world.receiver.answer(endpointId, () => ({ status: 500 }));
  const messageId = await world.tell([endpointId]);
  await world.untilDone(endpointId);
  const came = world.receiver.at(endpointId);
  expect(came).toHaveLength(3);
  expect(new Set(came.map((one) => `${one.id} ${one.body}`)).size).toBe(1);
  const [first = 0, second = 0, third = 0] = came.map((one) => one.startedAt);
  expect(second - first).toBeGreaterThan(155);
  expect(third - second).toBeGreaterThan(315);
  expect(await world.deliveriesOf(messageId)).toMatchObject([
    { status: 'failed', attempts: 3, nextTryAt: null },
  ]);
  expect(await world.attemptsOf(messageId)).toMatchObject([
    { status: 500 },
    { status: 500 },
    { status: 500 },
  ]);
  const { failingSince } = await world.endpoint(endpointId);
  expect(failingSince).toBeInstanceOf(Date);
  world.receiver.answer(endpointId, () => ({ status: 200 }));
  await world.tell([endpointId], { version: 2 });
  await world.untilDone(endpointId);
  expect(await world.endpoint(endpointId)).toMatchObject({ failingSince: null });
});

test('Retry-After is waited for by its own message', async () => {
  const endpointId = await world.makeEndpoint();
  world.receiver.answer(endpointId, ({ userId }) =>
    userId === 'ann' ? { status: 503, headers: { 'retry-after': '3600' } } : { status: 204 },
  );
  const messageId = await world.tell([endpointId], { userId: 'ann' });
  const other = await world.tell([endpointId], { userId: 'bob' });
  await waitFor(async () => (await world.deliveriesOf(messageId))[0]?.attempts === 1, { what: 'the try' });
  await waitFor(async () => (await world.deliveriesOf(other))[0]?.status === 'succeeded', {
    what: 'the other',
  });
  const [delivery] = await world.deliveriesOf(messageId);
  const waitMs = (delivery?.nextTryAt?.getTime() ?? 0) - Date.now();
  expect(waitMs).toBeGreaterThan(3_500_000);
  expect(waitMs).toBeLessThan(3_700_000);
});

test('a message about a user is not kept back by another user, nor an endpoint by one that hangs (W6)', async () => {
  const [dead, slow, well] = [
    await world.makeEndpoint(),
    await world.makeEndpoint(),
    await world.makeEndpoint(),
  ] as const;
  world.receiver.answer(dead, () => ({ status: null }));
  world.receiver.answer(slow, () => ({ status: 204, delayMs: 900 }));
  for (let version = 0; version < 40; version += 1)
    await world.tell([dead, slow], { userId: `user_${version}` });
  const ids = await Promise.all(
    Array.from({ length: 40 }, (_, index) => world.tell([well], { userId: `user_${index}` })),
  );
  await world.untilDone(well);
  expect(world.receiver.at(slow).length).toBeLessThan(40);
  expect(world.receiver.at(well)).toHaveLength(ids.length);
  await world.untilDone(slow, 30_000);
  expect(Math.max(...world.receiver.at(slow).map((one) => one.ofEndpoint))).toBe(7);
  expect(Math.max(...world.receiver.at(dead).map((one) => one.ofEndpoint))).toBeLessThan(8);
});

test('a receiver that is gone is disabled at once, by `system`, and what waits for it is discarded', async () => {
  const endpointId = await world.makeEndpoint();
  world.receiver.answer(endpointId, ({ userId }) => ({ status: userId === 'ann' ? 410 : 500 }));
  const waiting = await world.tell([endpointId], { userId: 'bob' });
  await waitFor(() => world.receiver.at(endpointId).length > 0, { what: 'a try' });
  const messageId = await world.tell([endpointId], { userId: 'ann' });
  await waitFor(async () => !(await world.endpoint(endpointId)).isEnabled, { what: 'the end' });
  await world.untilDone(endpointId);
  expect(await world.endpoint(endpointId)).toMatchObject({ disabledReason: 'gone' });
  const [gone] = await world.deliveriesOf(messageId);
  expect(gone?.status).toBe('discarded');
  expect(await world.deliveriesOf(waiting)).toMatchObject([{ status: 'discarded', nextTryAt: null }]);
  const row = await world.database.auditEntry.findFirst({
    where: { action: 'webhook_endpoint.disable', readable: { targetId: endpointId } },
    include: { readable: true },
  });
  expect(row).toMatchObject({ actor: 'system', projectId: 'shop', readable: { reason: 'gone' } });
  expect(world.logs.some((line) => line.includes('webhook_endpoint_disabled'))).toBe(true);
});

test('what an endpoint that is disabled or of an inactive project would get is discarded without a try', async () => {
  const endpointId = await world.makeEndpoint();
  await world.database.webhookEndpoint.update({
    where: { id: endpointId },
    data: { isEnabled: false, disabledReason: 'by_operator' },
  });
  const messageId = await world.tell([endpointId]);
  await world.untilDone(endpointId);
  expect(await world.deliveriesOf(messageId)).toMatchObject([{ status: 'discarded', attempts: 0 }]);
  await world.database.webhookEndpoint.update({
    where: { id: endpointId },
    data: { isEnabled: true, disabledReason: null },
  });
  await world.database.project.update({ where: { id: 'shop' }, data: { isActive: false } });
  await world.tell([endpointId], { version: 2 });
  await world.untilDone(endpointId);
  await world.database.project.update({ where: { id: 'shop' }, data: { isActive: true } });
  expect(world.receiver.at(endpointId)).toEqual([]);
});

test('a resend is one try of its own with the id and body of the message, whatever became of its delivery', async () => {
  const endpointId = await world.makeEndpoint();
  const messageId = await world.tell([endpointId], { version: 1 });
  await world.untilDone(endpointId);
  await world.tell([endpointId], { version: 2 });
  await world.untilDone(endpointId);
  world.receiver.answer(endpointId, () => ({ status: 500 }));
  const asked = { messageId, onlyProject: null, actor };
  expect(await resendMessage(world.database, asked)).toEqual({ endpoints: 1 });
  expect(await resendMessage(world.database, { ...asked, endpointId })).toEqual({ endpoints: 1 });
  await world.untilDone(endpointId);
  const came = world.receiver.at(endpointId);
  expect(came.map((one) => [one.version, one.headers['webhook-resend'], one.ofUser])).toEqual([
    [1, undefined, 0],
    [2, undefined, 0],
    [1, 'true', 0],
    [1, 'true', 0],
  ]);
  expect(new Set([came[0], came[2], came[3]].map((one) => `${one?.id} ${one?.body}`)).size).toBe(1);
  expect(await world.deliveriesOf(messageId)).toMatchObject([
    { resend: 0, status: 'succeeded', attempts: 1 },
    { resend: 1, status: 'failed', attempts: 1 },
    { resend: 2, status: 'failed', attempts: 1 },
  ]);
  expect(await world.attemptsOf(messageId)).toMatchObject([
    { isResend: false },
    { isResend: true },
    { isResend: true },
  ]);
});

test.each([
  ['msg_none', undefined, 'webhook_message_not_found'],
  [undefined, 'whe_none', 'webhook_endpoint_not_found'],
])('a resend of message %p to endpoint %p: %s', async (messageId, endpointId, code) => {
  const known = await world.tell([await world.makeEndpoint()]);
  await expect(
    resendMessage(world.database, { messageId: messageId ?? known, endpointId, onlyProject: null, actor }),
  ).rejects.toMatchObject({ code });
});

test('no resend reaches a disabled endpoint, or another project', async () => {
  const [endpointId, off] = [await world.makeEndpoint(), await world.makeEndpoint()] as const;
  const messageId = await world.tell([endpointId, off]);
  await world.untilDone(off);
  await world.database.webhookEndpoint.update({
    where: { id: off },
    data: { isEnabled: false, disabledReason: 'by_operator' },
  });
  const asked = { messageId, actor };
  await expect(
    resendMessage(world.database, { ...asked, onlyProject: null, endpointId: off }),
  ).rejects.toMatchObject({ code: 'endpoint_disabled' });
  expect(await resendMessage(world.database, { ...asked, onlyProject: 'shop' })).toEqual({ endpoints: 1 });
  await expect(resendMessage(world.database, { ...asked, onlyProject: 'other' })).rejects.toMatchObject({
    code: 'webhook_message_not_found',
  });
});

test('a claim that was lost changes nothing any more, and an erased message costs no other its record', async () => {
  const endpointId = await world.makeEndpoint();
  const [erased, kept] = [
    await world.tell([endpointId], { userId: 'ann' }),
    await world.tell([endpointId], { userId: 'bob' }),
  ] as const;
  await world.untilDone(endpointId);
  const claims = await Promise.all([erased, kept].map((id) => world.deliveriesOf(id)));
  await world.database.webhookMessage.delete({ where: { id: erased } });
  const tries = claims.flat().map(({ id, messageId, userId }) => ({
    claim: {
      id: Number(id),
      messageId,
      endpointId,
      userId,
      triesBefore: 1,
      isResend: false,
      claimedUntil: Date.now(),
    },
    attempt: { at: new Date(), status: 500, durationMs: 1, error: null, response: '', retryAfter: null },
    decided: { outcome: 'failed' as const },
  }));
  await recordTries(world.database, tries, { disableAfterMs: 1_000_000 });
  expect(await world.deliveriesOf(kept)).toMatchObject([{ status: 'succeeded', attempts: 1 }]);
  expect(await world.attemptsOf(kept)).toHaveLength(2);
});
