/** Where a pooler refuses one of these, only the statements themselves keep results right. */
const resultParameters: Readonly<Record<string, string>> = { TimeZone: 'UTC', DateStyle: 'ISO, MDY' };

/** A pooler names one parameter at a time. */
const maxRefusals = 8;

export type StartupParameters = {
  /** What a connection asks for: all but those that were refused. */
  wanted: () => Record<string, string>;
  /**
   * Takes note of what a server or pooler refused (08P01); returns whether connecting again makes sense. A message that
   * names none of them is about all.
   */
  isRefusal: (error: unknown) => boolean;
  /** Connects, and again without what was refused. */
  retrying: <T>(connect: () => Promise<T>) => Promise<T>;
  /** Those that were refused and whose value could change a result. Time-outs are none: each transaction sets them. */
  refusedOfResults: () => string[];
};

/**
 * Start-up parameters only add to what the statements say themselves: they save a server that is set to another zone or
 * `DateStyle` from sending what has to be asked for again, and bound single statements.
 */
export function createStartupParameters(timeouts: Readonly<Record<string, number>>): StartupParameters {
  const all: Record<string, string> = { ...resultParameters };
  for (const [name, ms] of Object.entries(timeouts)) all[name] = String(ms);
  const refused = new Set<string>();

  function isRefusal(error: unknown): boolean {
    if (!isProtocolViolation(error)) return false;
    const text = error.message.toLowerCase();
    const named = Object.keys(all).filter((name) => text.includes(name.toLowerCase()));
    // PgBouncer has this code for much else.
    if (named.length === 0 && !/start-?up|parameter/.test(text)) return false;
    for (const name of named.length > 0 ? named : Object.keys(all)) refused.add(name);
    return true;
  }

  async function retrying<T>(connect: () => Promise<T>): Promise<T> {
    for (let triesLeft = maxRefusals; ; triesLeft -= 1)
      try {
        return await connect();
      } catch (error) {
        if (triesLeft === 0 || !isRefusal(error)) throw error;
      }
  }

  return {
    wanted: () => Object.fromEntries(Object.entries(all).filter(([name]) => !refused.has(name))),
    isRefusal,
    retrying,
    refusedOfResults: () => Object.keys(resultParameters).filter((name) => refused.has(name)),
  };
}

const isProtocolViolation = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === '08P01';
