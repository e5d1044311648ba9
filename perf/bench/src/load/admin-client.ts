import { createHttpClient } from './http-client.ts';

/** Calls the admin API. Throws where the answer is no success. */
export type AdminClient = {
  call: (method: string, path: string, body?: object) => Promise<unknown>;
  close: () => void;
};

/** `path`: what follows `/api/v1/admin`. */
export function createAdminClient(url: string, secret: string): AdminClient {
  const client = createHttpClient(url);
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  return {
    call: async (method, path, body) => {
      const sent = { method, path: `/api/v1/admin${path}`, headers };
      const { status, text } = await client.send(
        body === undefined ? sent : { ...sent, body: JSON.stringify(body) },
      );
      if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${text}`);
      return text === '' ? null : JSON.parse(text);
    },
    close: client.close,
  };
}
