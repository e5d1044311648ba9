export { createApp } from './app.ts';
export { buildDeps, type BuildOptions, type BuiltDeps } from './build-deps.ts';
export { environmentSchema, toApiConfig, type ApiConfig, type Environment } from './config.ts';
export type { AppDeps } from './deps.ts';
export { closeGracefully, createApiServer } from './http/api-server.ts';
