import { Client } from 'pg';

/** Where a pooler refuses one of these, only the statements themselves keep results right. */
const resultParameters: Readonly<Record<string, string>> = { TimeZone: 'UTC', DateStyle: 'ISO, MDY' };

export type StartupParameters = {
  /** A connection that sends them, but for those that were refused. */
  Client: new () => Client;
  /**
   * Takes note of what a server or pooler refused (08P01); returns whether connecting again makes sense. A message that
   * names none of them is about all.
   */
  isRefusal: (error: unknown) => boolean;
  /** Those that were refused and whose value could change a result. Time-outs are none: each transaction sets them. */
  refusedOfResults: () => string[];
};

/**
 * Start-up parameters only add to what the statements say themselves: they save a server that is set to another zone or
 * `DateStyle` from sending what has to be asked for again, and bound single statements.
 */
export function createStartupParameters(timeouts: Readonly<Record<string, number>>): StartupParameters {
  const wanted: Record<string, string> = { ...resultParameters };
  for (const [name, ms] of Object.entries(timeouts)) wanted[name] = String(ms);
  const refused = new Set<string>();

  class SessionClient extends Client {
    /** What a connection asks for in its first message; not in the package's types. */
    getStartupConf(): Record<string, string> {
      const inherited: unknown = Reflect.get(Client.prototype, 'getStartupConf');
      const own: unknown = typeof inherited === 'function' ? inherited.call(this) : undefined;
      if (typeof own !== 'object')
        throw new Error('node-postgres no longer asks for its start-up parameters.');
      const sent = Object.entries(wanted).filter(([name]) => !refused.has(name));
      return { ...own, ...Object.fromEntries(sent) };
    }
  }

  return {
    Client: SessionClient,
    isRefusal(error) {
      if (!isProtocolViolation(error)) return false;
      const text = error.message.toLowerCase();
      const named = Object.keys(wanted).filter((name) => text.includes(name.toLowerCase()));
      // PgBouncer has this code for much else.
      if (named.length === 0 && !/start-?up|parameter/.test(text)) return false;
      for (const name of named.length > 0 ? named : Object.keys(wanted)) refused.add(name);
      return true;
    },
    refusedOfResults: () => Object.keys(resultParameters).filter((name) => refused.has(name)),
  };
}

const isProtocolViolation = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === '08P01';
