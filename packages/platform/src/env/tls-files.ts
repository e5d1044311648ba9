import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** What a TLS connection needs, as Node's `tls.connect` takes it: PEM. */
export type TlsFiles = { ca?: string; cert?: string; key?: string };

/** The parameters that name files of a TLS connection, as Postgres's own clients call them. */
export const tlsFileParameters = { ca: 'sslrootcert', cert: 'sslcert', key: 'sslkey' } as const;

const entries = Object.entries(tlsFileParameters);

/** The parameters of a URL, which may name several hosts. */
export function parametersOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1).replace(/#.*$/s, ''));
}

/** Reads the files that a URL names. Throws where one can't be read. */
export function readTlsFiles(url: string): TlsFiles {
  const parameters = parametersOf(url);
  return Object.fromEntries(
    entries.flatMap(([option, parameter]) => {
      const path = parameters.get(parameter);
      return path === null ? [] : [[option, readFileSync(path, 'utf8')]];
    }),
  );
}

/** What is wrong with the files that a URL names, never with their content; undefined: nothing. */
export function tlsFileProblem(url: string): string | undefined {
  for (const [, parameter] of entries) {
    const path = parametersOf(url).get(parameter);
    if (path !== null && !isReadable(path)) return `${parameter} to name a file that can be read`;
  }
  return filesProblem(readTlsFiles(url));
}

function filesProblem({ ca, cert, key }: TlsFiles): string | undefined {
  if ((cert === undefined) !== (key === undefined)) return 'sslcert and sslkey together';
  if (ca !== undefined && !works(() => new X509Certificate(ca)))
    return 'sslrootcert to name certificates in PEM form';
  if (cert === undefined || key === undefined) return undefined;
  if (!works(() => new X509Certificate(cert))) return 'sslcert to name a certificate in PEM form';
  if (!works(() => createPrivateKey(key)))
    return 'sslkey to name a private key in PEM form without a passphrase';
  return works(() => createSecureContext({ cert, key }))
    ? undefined
    : 'sslkey to name the private key of sslcert';
}

const isReadable = (path: string): boolean => works(() => readFileSync(path));

function works(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
