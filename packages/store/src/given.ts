import { Prisma } from './generated/client.ts';

/** A condition or a change that only counts where a value is given. */
export const given = <T>(value: T | undefined): T | typeof Prisma.skip =>
  value === undefined ? Prisma.skip : value;
