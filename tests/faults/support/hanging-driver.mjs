import { Client } from 'pg';

// Preloaded into a worker that is to get stuck: its Postgres driver never answers the query that every event begins
// with, and answers all others. No deadline of ours covers a call that a library loses.
Client.prototype.query = new Proxy(Reflect.get(Client.prototype, 'query'), {
  apply(query, client, args) {
    const [config] = args;
    const text = typeof config === 'string' ? config : String(config?.text);
    const isForgotten = /^\s*WITH[^]*known_events/.test(text);
    return isForgotten ? new Promise(() => undefined) : Reflect.apply(query, client, args);
  },
});
