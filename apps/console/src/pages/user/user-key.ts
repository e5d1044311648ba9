export type UserKey = { projectId: string; userId: string };
