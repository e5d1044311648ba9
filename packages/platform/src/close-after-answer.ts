import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a client whose body was not read has to take its answer: a reset at once could overtake it. */
const lingerMs = 1_000;

/** Whether a request has a body of which more is to come. */
export function isBodyOnItsWay({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
}

/** One request, one answer: what comes after it on this connection is not read, and the connection ends. */
export function closeAfterAnswer(response: ServerResponse): void {
  // Node answers `connection: close`, and ends the connection with the answer.
  response.shouldKeepAlive = false;
  const { socket } = response;
  if (socket === null) return;
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}
