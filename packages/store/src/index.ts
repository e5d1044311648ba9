export * from './change-user.ts';
export * from './create-database.ts';
