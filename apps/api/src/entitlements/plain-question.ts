/** `user_id` alone, of characters that need no decoding: how nearly every backend asks. */
const plain = /^\/api\/v1\/entitlements\?user_id=([A-Za-z0-9._~-]{1,256})$/;

/**
 * The user that a plain check asks for; null: the ordinary way has to look at the query. What is read here is read
 * the same there: these characters mean themselves in a query, and any 1 to 256 of them are an identifier.
 */
export const plainQuestion = (url: string): string | null => plain.exec(url)?.[1] ?? null;
