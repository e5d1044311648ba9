import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unprivilegedPrefix } from '@billing/testing';

export type Certificate = { cert: string; key: string };

/** An authority of the test's own, made with openssl. Files belong to the user that Postgres runs as. */
export type Authority = {
  /** The authority's own certificate. */
  ca: string;
  /** Signs a certificate. `names`: as openssl takes `subjectAltName`, such as `DNS:localhost`. */
  sign: (commonName: string, names?: string) => Certificate;
};

export type CertificateFolder = {
  /** Path of a file in it, written if text is given. */
  file: (name: string, text?: string) => string;
  createAuthority: (name: string) => Authority;
  remove: () => void;
};

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

export function createCertificateFolder(): CertificateFolder {
  const dir = mkdtempSync(join(tmpdir(), 'billing-tls-'));
  const prefix = unprivilegedPrefix(dir);

  function openssl(...args: string[]): void {
    const [command = 'openssl', ...rest] = [...prefix, 'openssl', ...args];
    const { status, error, stderr } = spawnSync(command, rest, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl failed: ${error?.message ?? stderr}`);
  }
  const file = (name: string, text?: string): string => {
    const path = join(dir, name);
    if (text !== undefined) writeFileSync(path, text, { mode: 0o644 });
    return path;
  };

  function createAuthority(name: string): Authority {
    const [ca, caKey] = [file(`${name}.crt`), file(`${name}.key`)];
    openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-keyout', caKey, '-out', ca);
    return {
      ca,
      sign: (commonName, names) => {
        const cert = file(`${name}-${commonName}.crt`);
        const key = file(`${name}-${commonName}.key`);
        const extension = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
        const subject = ['-subj', `/CN=${commonName}`, ...extension];
        const issuer = ['-CA', ca, '-CAkey', caKey];
        const isNoAuthority = ['-addext', 'basicConstraints=critical,CA:FALSE'];
        openssl(
          'req',
          '-x509',
          ...newKey,
          ...subject,
          ...issuer,
          ...isNoAuthority,
          '-keyout',
          key,
          '-out',
          cert,
        );
        return { cert, key };
      },
    };
  }
  return { file, createAuthority, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
