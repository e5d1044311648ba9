import { createWebhookWork } from './same-work.ts';
import { serveFastify } from './serve-fastify.ts';

await serveFastify(createWebhookWork());
