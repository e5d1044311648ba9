import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engineBindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { __wbg_set_wasm as connectInstance } from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import { migrationAdapter } from './postgres-adapter.ts';

export type EngineOptions = {
  readonly databaseUrl: string;
  /** Needed to compare, not to migrate. */
  readonly schema?: { readonly path: string; readonly text: string };
};

export type OpenEngine = {
  readonly engine: SchemaEngine;
  readonly close: () => Promise<void>;
};

// Instantiated at first use and once for the process: the bindings hold the instance themselves.
let isLoaded = false;

/**
 * Prisma's own schema engine, as WebAssembly over a `pg` connection: it maintains `_prisma_migrations` as Prisma's
 * command line does, with no binary to download.
 */
export async function openSchemaEngine({ databaseUrl, schema }: EngineOptions): Promise<OpenEngine> {
  await loadEngine();
  const { factory, close } = migrationAdapter(databaseUrl);
  const adapter = bindMigrationAwareSqlAdapterFactory(factory);
  const datamodels: [string, string][] | undefined = schema && [[schema.path, schema.text]];
  const engine = await engineBindings.SchemaEngine.new({ datamodels }, () => undefined, adapter);
  return {
    engine,
    close: async () => {
      engine.free();
      await close();
    },
  };
}

async function loadEngine(): Promise<void> {
  if (isLoaded) return;
  // The engine reports a panic here before it traps; without this the reason of the panic would be lost.
  Object.assign(globalThis, {
    PRISMA_WASM_PANIC_REGISTRY: {
      set_message: (message: string) => {
        throw new Error(`The schema engine gave up: ${message}`);
      },
    },
  });
  const bindingsPath = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(bindingsPath.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': { ...engineBindings, ...unreferencedTimers() },
  });
  connectInstance(instance.exports);
  instance.exports['__wbindgen_start']();
  isLoaded = true;
}

/** The engine leaves a timer of ten seconds behind, which would keep the process alive that long. */
function unreferencedTimers(): Record<string, (callback: () => void, ms: number) => NodeJS.Timeout> {
  const names = Object.keys(engineBindings).filter((name) => name.startsWith('__wbg_setTimeout_'));
  return Object.fromEntries(
    names.map((name) => [name, (callback, ms) => setTimeout(callback, ms >>> 0).unref()]),
  );
}
