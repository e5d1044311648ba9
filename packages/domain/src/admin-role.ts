/** What a name of `ADMIN_API_KEY` may do, from the least to the most: each role may do all that those before it may. */
export const adminRoles = ['viewer', 'operator', 'admin'] as const;
export type AdminRole = (typeof adminRoles)[number];

/** Whether `role` may do what is open from `least` on. */
export const hasRole = (role: AdminRole, least: AdminRole): boolean =>
  adminRoles.indexOf(role) >= adminRoles.indexOf(least);
