/**
 * A project's API key: `proj_`, 32 random characters and a checksum of 6, in base62. By the checksum a mistyped
 * or invented key is refused without a query; it is not a secret and proves nothing.
 */
const prefix = 'proj_';
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomCharacters = 32;
const checksumCharacters = 6;
const shape = new RegExp(`^${prefix}[0-9A-Za-z]{${randomCharacters + checksumCharacters}}$`);

/** How many random bytes `formatApiKey` takes: 184 bits fit into 32 base62 characters (190 bits). */
export const apiKeyRandomBytes = 23;

/** Makes a key. `random`: `apiKeyRandomBytes` bytes of a cryptographic generator, else a `TypeError`. */
export function formatApiKey(random: Uint8Array): string {
  if (random.length !== apiKeyRandomBytes)
    throw new TypeError(`An API key is made of ${apiKeyRandomBytes} random bytes`);
  const number = random.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const body = prefix + base62(number, randomCharacters);
  return body + checksum(body);
}

/** Whether `candidate` has the shape of a key and the right checksum. */
export function isWellFormedApiKey(candidate: string): boolean {
  if (!shape.test(candidate)) return false;
  return checksum(candidate.slice(0, -checksumCharacters)) === candidate.slice(-checksumCharacters);
}

/** The beginning of a key, which may be stored and shown so that people can tell keys apart. */
export const apiKeyPrefix = (key: string): string => key.slice(0, prefix.length + 6);

const checksum = (body: string): string => base62(BigInt(crc32(body)), checksumCharacters);

function base62(number: bigint, length: number): string {
  let digits = '';
  for (let rest = number; digits.length < length; rest /= 62n)
    digits = alphabet.charAt(Number(rest % 62n)) + digits;
  return digits;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 (IEEE 802.3) of ASCII text. */
function crc32(ascii: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < ascii.length; index += 1)
    crc = (crc >>> 8) ^ (crcTable[(crc ^ ascii.charCodeAt(index)) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}
