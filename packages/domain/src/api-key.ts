/**
 * A project's API key: `proj_`, 32 characters of randomness, 6 of checksum, all base62. The checksum lets
 * a mistyped or invented key be refused before anything is looked up; it is no secret and proves nothing.
 */
const PREFIX = 'proj_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 32;
const CHECKSUM_CHARACTERS = 6;
const SHAPE = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}$`);

/** How many random bytes `formatApiKey` takes: 184 bits fit into 32 base62 characters (190 bits). */
export const apiKeyRandomBytes = 23;

/** The key made of `random`, which must be `apiKeyRandomBytes` bytes of a cryptographic generator. */
export function formatApiKey(random: Uint8Array): string {
  if (random.length !== apiKeyRandomBytes)
    throw new TypeError(`An API key is made of ${apiKeyRandomBytes} random bytes`);
  const number = random.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const body = PREFIX + base62(number, RANDOM_CHARACTERS);
  return body + checksum(body);
}

/** Whether `candidate` has the shape of a key and its checksum fits. */
export function isWellFormedApiKey(candidate: string): boolean {
  if (!SHAPE.test(candidate)) return false;
  return checksum(candidate.slice(0, -CHECKSUM_CHARACTERS)) === candidate.slice(-CHECKSUM_CHARACTERS);
}

/** What may be shown of a key for ever, so that people tell keys apart. */
export const apiKeyPrefix = (key: string): string => key.slice(0, PREFIX.length + 6);

const checksum = (body: string): string => base62(BigInt(crc32(body)), CHECKSUM_CHARACTERS);

function base62(number: bigint, length: number): string {
  let digits = '';
  for (let rest = number; digits.length < length; rest /= 62n)
    digits = ALPHABET.charAt(Number(rest % 62n)) + digits;
  return digits;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 (IEEE 802.3) of ASCII text. */
function crc32(ascii: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < ascii.length; index += 1)
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ ascii.charCodeAt(index)) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}
