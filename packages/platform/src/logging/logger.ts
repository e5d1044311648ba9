import { AsyncLocalStorage } from 'node:async_hooks';
import winston from 'winston';
import { knownSecrets, redactFields } from './redact.ts';
import type { RedactOptions } from './redact.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Logs an event name (snake_case) and fields. Secrets are masked, but payloads and keys do not belong here at all. */
export type Logger = {
  debug: (event: string, fields?: Fields) => void;
  info: (event: string, fields?: Fields) => void;
  warn: (event: string, fields?: Fields) => void;
  error: (event: string, fields?: Fields) => void;
  /** A logger that adds `fields` to everything it logs. */
  child: (fields: Fields) => Logger;
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LoggerOptions = {
  readonly service: string;
  readonly level: LogLevel;
  /** `json`: one object a line, for machines. `pretty`: one readable line, with error stacks, for development. */
  readonly format: 'json' | 'pretty';
  /** What the process was configured with: secrets, and URLs with passwords. Masked wherever they appear. */
  readonly secrets?: readonly (string | undefined)[];
  /** Default: standard output. */
  readonly destination?: NodeJS.WritableStream;
};

// One store for the whole process: it follows the call chain, and no caller could pass it on.
const contextStorage = new AsyncLocalStorage<Fields>();

/** Runs `run`; everything logged inside carries `fields` (such as request_id), added to those of outer contexts. */
export function withLogContext<T>(fields: Fields, run: () => T): T {
  return contextStorage.run({ ...contextStorage.getStore(), ...fields }, run);
}

/** Creates the process's logger; the fields of `withLogContext` are merged into every line. */
export function createLogger({ service, level, format, secrets = [], destination }: LoggerOptions): Logger {
  const sink = winston.createLogger({
    level,
    format: format === 'json' ? winston.format.json() : winston.format.printf(formatLine),
    transports: [new winston.transports.Stream({ stream: destination ?? standardOutput() })],
  });
  return loggerOver({ sink, includeStack: format === 'pretty', secrets: knownSecrets(secrets) }, { service });
}

type Sink = RedactOptions & { readonly sink: winston.Logger };

function loggerOver(target: Sink, bound: Fields): Logger {
  function log(level: LogLevel, event: string, fields: Fields = {}): void {
    if (!target.sink.isLevelEnabled(level)) return;
    const line = redactFields({ ...bound, ...contextStorage.getStore(), ...fields }, target);
    // Last, so that no field can overwrite the time, the level or the event.
    target.sink.log({ ...line, time: new Date().toISOString(), level, event, message: event });
  }
  return {
    debug: (event, fields) => log('debug', event, fields),
    info: (event, fields) => log('info', event, fields),
    warn: (event, fields) => log('warn', event, fields),
    error: (event, fields) => log('error', event, fields),
    child: (fields) => loggerOver(target, { ...bound, ...fields }),
  };
}

function formatLine(line: winston.Logform.TransformableInfo): string {
  const { time, level, event, service, message: _message, ...fields } = line;
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  return `${String(time)} ${level.toUpperCase().padEnd(5)} [${String(service)}] ${String(event)}${rest === '' ? '' : ` ${rest}`}`;
}

/** A reader of standard output may go away: a broken pipe must not end a server that has work to finish. */
function standardOutput(): NodeJS.WritableStream {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => undefined);
  return process.stdout;
}
