import { reply, serve } from '../http.ts';

/** What Node's HTTP server costs by itself: a constant answer of the usual size. */
const text = JSON.stringify({ filler: 'x'.repeat(130) });
serve((_request, response) => reply(response, { status: 200, text }));
