import type { ClientRequest, IncomingMessage } from 'node:http';

export type Answer = {
  status: number;
  /** The first 512 bytes of the body. */
  response: string;
  retryAfter: string | null;
};

const keptBytes = 512;
const mostBytes = 64 * 1024;

/** Text that Postgres can store. */
const toText = (chunks: readonly Buffer[]): string =>
  Buffer.concat(chunks).subarray(0, keptBytes).toString('utf8').replaceAll('\0', '\uFFFD');

/** Reads what comes of a body, at most 64 KB: after its end, a cut or the deadline there is no more. */
function readStart(answer: IncomingMessage): Promise<string> {
  const start: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    answer.on('data', (chunk: Buffer) => {
      if (bytes < keptBytes) start.push(chunk);
      bytes += chunk.length;
      if (bytes >= mostBytes) answer.destroy();
    });
    answer.on('error', () => resolve(toText(start)));
    answer.on('close', () => resolve(toText(start)));
  });
}

/** The answer to a request. Once its status is known nothing that follows makes it fail. Rejects where there is none. */
export function readAnswer(asked: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    asked.on('error', reject);
    // A status as others, none that is a success; nothing else would be heard of the request any more, its deadline neither.
    asked.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, response: '', retryAfter: null });
    });
    asked.on('response', (answer) => {
      // From here on the answer stands: what ends the request meanwhile only cuts its body.
      asked.off('error', reject).on('error', () => undefined);
      const status = answer.statusCode ?? 0;
      const retryAfter = answer.headers['retry-after'] ?? null;
      readStart(answer).then((response) => resolve({ status, response, retryAfter }), reject);
    });
  });
}
