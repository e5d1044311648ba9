import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import { z } from 'zod';
import { createSignedEvents } from './signed-events.ts';

/** Entry of the load generator's process: reads its settings from a file, runs autocannon and prints the totals. */
const settings = z
  .object({
    url: z.string(),
    connections: z.number(),
    seconds: z.number(),
    apiKey: z.string().optional(),
    paths: z.array(z.string()).optional(),
    webhook: z.object({ secret: z.string(), path: z.string() }).optional(),
  })
  .parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));

function requests(): autocannon.Request[] {
  const { webhook, paths = ['/'], apiKey } = settings;
  if (webhook === undefined)
    return paths.map((path) => ({
      method: 'GET',
      path,
      ...(apiKey === undefined ? {} : { headers: { authorization: `Bearer ${apiKey}` } }),
    }));
  const nextEvent = createSignedEvents(webhook.secret);
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
  duration: settings.seconds,
  requests: requests(),
});
const failed = result.errors + result.timeouts + result.non2xx;
console.log(JSON.stringify({ requests: result['2xx'] + failed, seconds: result.duration, failed }));
