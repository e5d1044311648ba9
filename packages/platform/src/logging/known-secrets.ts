/** Shorter ones are words of their own ("dev"), and masking those would garble every line. */
const MIN_LENGTH = 6;

/**
 * The secrets a process was configured with: a pattern that finds them anywhere in a text, whatever they look
 * like. URLs stand for the password inside them, as it is written there and decoded. Undefined if there are none.
 */
export function knownSecrets(configured: readonly (string | undefined)[]): RegExp | undefined {
  const secrets = configured
    .flatMap((value) => (value === undefined ? [] : secretsIn(value)))
    .filter((secret) => secret.length >= MIN_LENGTH)
    // The longest first: one secret may begin with another.
    .sort((left, right) => right.length - left.length);
  if (secrets.length === 0) return undefined;
  return new RegExp([...new Set(secrets)].map(escapeForPattern).join('|'), 'g');
}

function secretsIn(value: string): string[] {
  if (!URL.canParse(value) || !value.includes('://')) return [value];
  const { password } = new URL(value);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

const escapeForPattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
