const words: Readonly<Record<string, string>> = {
  url_not_allowed: 'url_not_allowed',
  proxy_refused: 'proxy_refused',
  ABORT_ERR: 'timeout',
  ETIMEDOUT: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  ENOTFOUND: 'name_not_resolved',
  EAI_AGAIN: 'name_not_resolved',
  ENODATA: 'name_not_resolved',
  EPROTO: 'tls_failed',
};

/** OpenSSL's names of what is wrong with a certificate. */
const tlsCode = /^ERR_(TLS|SSL)_|CERT|_SIGNATURE$|^HOSTNAME_MISMATCH$|^INVALID_CA$|^PATH_LENGTH/;

/** All that `webhookErrorWord` says. */
export const webhookErrorWords = [
  ...new Set([...Object.values(words), 'tls_failed', 'bad_answer', 'failed']),
];

/** The code of an error; of several tries (an address each) the first one's. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** One word for why there was no answer. */
export function webhookErrorWord(error: unknown): string {
  const code = codeOf(error);
  const known = words[code];
  if (known !== undefined) return known;
  if (tlsCode.test(code)) return 'tls_failed';
  return code.startsWith('HPE_') ? 'bad_answer' : 'failed';
}
