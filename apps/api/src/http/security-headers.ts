/**
 * On every answer; pages loosen the policy for themselves. Entitlements are nobody's to store, frame or sniff. A right
 * answer to a check has no more of them than mean something for JSON that no browser asks for: `no-store`, `nosniff`.
 */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;
