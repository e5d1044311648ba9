import { PassThrough } from 'node:stream';
import { createLogger } from '@billing/platform';
import { createAccessLog } from './observe-requests.ts';

function start() {
  const lines: Record<string, unknown>[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => lines.push(JSON.parse(chunk.toString())));
  const logger = createLogger({ service: 'test', level: 'info', format: 'json', destination });
  const log = createAccessLog({ logger });
  const answer = (statusCode: number, isAborted = false): void => {
    if (log.wants(statusCode, isAborted)) log.write({ status_code: statusCode });
  };
  return { answer, lines };
}

describe('the access log', () => {
  it('has every answer of a quiet service', () => {
    const { answer, lines } = start();
    for (let count = 0; count < 10; count += 1) answer(200);
    expect(lines).toHaveLength(10);
    expect(lines.every((line) => line['not_logged'] === undefined)).toBe(true);
  });

  it('has a sample of the successes of a busy one, every failure, and the number of lines it left out', () => {
    const { answer, lines } = start();
    for (let count = 0; count < 1_000; count += 1) answer(200);
    const left = 1_000 - lines.length;
    expect(left).toBeGreaterThan(900);
    answer(500);
    answer(404);
    answer(200, true);
    expect(lines.slice(-3).map((line) => line['status_code'])).toEqual([500, 404, 200]);
    const sum = lines.reduce((total, line) => total + Number(line['not_logged'] ?? 0), 0);
    expect(sum).toBe(left);
  });
});
