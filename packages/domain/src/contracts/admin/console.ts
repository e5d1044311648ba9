import { z } from 'zod';
import { adminRoles } from '../../admin-role.ts';
import { id } from '../../ids.ts';
import { listOf } from './listing.ts';

const maxSecretCharacters = 1_024;

/** What a person signs in to the console with. */
export const consoleSignIn = z
  .strictObject({
    name: id.describe('A name of `ADMIN_API_KEY`.'),
    secret: z.string().min(1).max(maxSecretCharacters).describe('The secret of that name.'),
  })
  .meta({ id: 'ConsoleSignIn' });
export type ConsoleSignIn = z.output<typeof consoleSignIn>;

/** A name of `ADMIN_API_KEY`, and what it may do. */
const adminName = {
  name: z.string(),
  role: z.enum(adminRoles),
  project_id: z.string().nullable().describe('The project that the name is limited to; null: none.'),
};

/** Who is signed in. */
export const consoleSessionOut = z.object(adminName).meta({ id: 'ConsoleSession' });
export type ConsoleSessionOut = z.output<typeof consoleSessionOut>;

export const adminNameOut = z.object(adminName).meta({ id: 'AdminName' });
export type AdminNameOut = z.output<typeof adminNameOut>;
export const adminNameList = z.object({ data: z.array(adminNameOut) }).meta({ id: 'AdminNameList' });

/** A session of the console, as the others see it. */
export const sessionOut = z
  .object({
    session_id: z.string(),
    name: z.string(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime(),
    expires_at: z.iso.datetime().describe('It ends then at the latest, and 30 minutes after its last use.'),
  })
  .meta({ id: 'AdminSession' });
export type SessionOut = z.output<typeof sessionOut>;
export const sessionList = listOf(sessionOut).meta({ id: 'AdminSessionList' });
