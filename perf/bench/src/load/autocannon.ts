import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import { z } from 'zod';
import { idMark } from './id-mark.ts';
import { createSignedEvents } from './signed-events.ts';

/** Entry of the load generator's process: reads its settings from a file, runs autocannon and prints the totals. */
const settings = z
  .object({
    url: z.string(),
    connections: z.number(),
    seconds: z.number().optional(),
    /** So many requests, however long they take. */
    count: z.number().optional(),
    apiKey: z.string().optional(),
    paths: z.array(z.string()).optional(),
    webhook: z
      .object({ path: z.string(), secret: z.string().optional(), eventsFile: z.string().optional() })
      .optional(),
    post: z.object({ path: z.string(), bodies: z.array(z.string()) }).optional(),
  })
  .parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));

const signedEvent = z.object({ body: z.string(), signature: z.string() });

/** The events of a file, one after another; throws when there are no more, as a repeated one costs less. */
function readEvents(file: string): () => z.output<typeof signedEvent> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => signedEvent.parse(JSON.parse(line)))[Symbol.iterator]();
  return () => {
    const { value } = events.next();
    if (value === undefined) throw new Error(`${file} has too few events for this load.`);
    return value;
  };
}

let lastId = 0;
const run = randomUUID();

function requests(): autocannon.Request[] {
  const { webhook, post, paths = ['/'], apiKey } = settings;
  const headers = apiKey === undefined ? {} : { headers: { authorization: `Bearer ${apiKey}` } };
  if (post !== undefined)
    return post.bodies.map((body) => ({
      method: 'POST',
      path: post.path,
      setupRequest: (request) => ({
        ...request,
        headers: { ...headers.headers, 'content-type': 'application/json' },
        body: body.replaceAll(idMark, () => `${run}_${(lastId += 1)}`),
      }),
    }));
  if (webhook === undefined) return paths.map((path) => ({ method: 'GET', path, ...headers }));
  const { secret = '', eventsFile } = webhook;
  const nextEvent = eventsFile === undefined ? createSignedEvents(secret) : readEvents(eventsFile);
  return [
    {
      method: 'POST',
      path: webhook.path,
      setupRequest: (request) => {
        const { body, signature } = nextEvent();
        return {
          ...request,
          body,
          headers: { ...request.headers, 'content-type': 'application/json', 'stripe-signature': signature },
        };
      },
    },
  ];
}

const result = await autocannon({
  url: settings.url,
  connections: settings.connections,
  ...(settings.count === undefined ? { duration: settings.seconds ?? 1 } : { amount: settings.count }),
  requests: requests(),
});
const failed = result.errors + result.timeouts + result.non2xx;
console.log(JSON.stringify({ requests: result['2xx'] + failed, seconds: result.duration, failed }));
