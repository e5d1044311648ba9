import { z } from 'zod';
import { hostUrls, splitUrls } from './host-urls.ts';

/** Replicas of the database, each by a URL with one host. */
export function databaseUrls(ofOne: z.ZodType<string, string>): z.ZodType<string[], string> {
  return z.string().transform((text, context): string[] => {
    const parsed = z.array(ofOne).safeParse(splitUrls(text));
    const urls = parsed.data ?? [];
    if (parsed.success && urls.length > 0 && urls.every((url) => hostUrls(url).length === 1)) return urls;
    const message =
      parsed.error?.issues[0]?.message ?? 'expected URLs of Postgres, comma-separated, each with one host';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}
