import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engineBindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { __wbg_set_wasm as connectInstance } from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';

export interface EngineOptions {
  readonly databaseUrl: string;
  /** Needed to compare, not to migrate. */
  readonly schema?: { readonly path: string; readonly text: string };
}

// Instantiated at first use and once for the process: the bindings hold the instance themselves.
let isLoaded = false;

/**
 * Prisma's own schema engine, as WebAssembly over a `pg` connection: `_prisma_migrations` is kept as Prisma's
 * command line keeps it, with no binary to download.
 */
export async function openSchemaEngine({ databaseUrl, schema }: EngineOptions): Promise<SchemaEngine> {
  await loadEngine();
  const adapter = bindMigrationAwareSqlAdapterFactory(
    new PrismaPg({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000, max: 4 }),
  );
  const datamodels: [string, string][] | undefined = schema && [[schema.path, schema.text]];
  return engineBindings.SchemaEngine.new({ datamodels }, () => undefined, adapter);
}

async function loadEngine(): Promise<void> {
  if (isLoaded) return;
  const bindingsPath = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(bindingsPath.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': engineBindings });
  connectInstance(instance.exports);
  instance.exports['__wbindgen_start']();
  isLoaded = true;
}
