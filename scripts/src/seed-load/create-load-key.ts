import { randomBytes } from 'node:crypto';
/** TEMP until domain has createApiKey. */
export function createLoadKey(): string {
  return `proj_${randomBytes(24).toString('hex')}`;
}
