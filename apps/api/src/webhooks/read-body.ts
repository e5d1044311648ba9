import type { IncomingMessage } from 'node:http';
import { ServiceError } from '@billing/domain';
import { withDeadline } from '@billing/platform';

const maxBytes = 1024 * 1024;
/** Of all bodies of this process whose signature is not known yet. */
const maxBytesHeld = 64 * 1024 * 1024;
const deadlineMs = 1_500;

const tooLarge = (): ServiceError => new ServiceError('payload_too_large', 'Send a body of at most 1 MiB.');

const tooManyBytes = (): ServiceError =>
  new ServiceError(
    'service_unavailable',
    'Send it again in a moment: too many unsigned bodies arrive at once.',
    {
      retryable: true,
      retryAfterSeconds: 1,
    },
  );

const incomplete = (): ServiceError =>
  new ServiceError('invalid_payload', 'Send the whole body without a pause.');

/** Refuses what the headers say already. */
function refuseByHeaders({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity')
    throw new ServiceError('unsupported_media_type', 'Send the body without compression.');
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
}

export type BodyReader = (request: IncomingMessage) => Promise<Buffer>;

/**
 * Reads bodies as they came: a signature covers bytes, whatever the content type is. Anybody can send one, so it has
 * 1.5 s to be whole, and what all of them hold at a time is bounded. Throws `unsupported_media_type`,
 * `payload_too_large`, `invalid_payload`, `service_unavailable`; then nothing more is kept.
 */
export function createBodyReader(): BodyReader {
  let heldByAll = 0;

  async function read(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let held = 0;
    let isOver = false;
    const whole = new Promise<Buffer>((resolve, reject) => {
      function take(chunk: Buffer): void {
        if (isOver) return;
        held += chunk.length;
        heldByAll += chunk.length;
        chunks.push(chunk);
        if (held > maxBytes) reject(tooLarge());
        else if (heldByAll > maxBytesHeld) reject(tooManyBytes());
      }
      function end(): void {
        isOver = true;
        resolve(Buffer.concat(chunks, held));
      }
      // Every request closes: an error is only made for one that is not whole.
      function broken(): void {
        if (!isOver) reject(incomplete());
      }
      // They stay: without a listener an error of the stream would end the process.
      request.on('data', take).on('end', end).on('close', broken).on('error', broken);
    });
    try {
      return await withDeadline(whole, { ms: deadlineMs, onTimeout: incomplete });
    } finally {
      isOver = true;
      chunks.length = 0;
      heldByAll -= held;
    }
  }

  return async (request) => {
    refuseByHeaders(request);
    return read(request);
  };
}
