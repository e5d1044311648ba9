import type { z } from 'zod';

import type { ObjectRows, ObjectTables, Tables } from '../state/tables.ts';
import type { World } from '../world.ts';
import { page, type ListParams } from './list.ts';
import { expandOnly, parseParams } from './params.ts';

export type Route = {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** Answers with the object, or throws a StripeApiError. Never waits: what one request does is atomic. */
  run(world: World, id: string, raw: unknown): object;
};

/** Ties a path to its parameters' schema and the function that gets them parsed. */
export function defineRoute<Params>(
  name: `${Route['method']} /v1/${string}`,
  schema: z.ZodType<Params>,
  run: (world: World, id: string, params: Params) => object,
): Route {
  const [verb, path = ''] = name.split(' ');
  return {
    method: verb === 'GET' ? 'GET' : verb === 'POST' ? 'POST' : 'DELETE',
    path,
    run: (world, id, raw) => run(world, id, parseParams(schema, raw)),
  };
}

type Reads<Row, Params> = {
  /** Parameters of the list. */
  params: z.ZodType<Params>;
  /** Those of them that must equal the row's field of the same name. */
  equal?: readonly (keyof Row & keyof Params)[];
  matches?: (row: Row, params: Params) => boolean;
  /** In place of the row of that id. */
  find?: (tables: Tables, id: string) => object;
};

/** `GET <path>/:id` and `GET <path>`: one object, and the list of all, newest first. */
export function readRoutes<Name extends keyof ObjectRows, Params extends ListParams>(
  path: `/v1/${string}`,
  name: Name,
  { params: schema, equal, matches = () => true, find }: Reads<ObjectRows[Name], Params>,
): Route[] {
  const rowsOf = (tables: ObjectTables): ObjectRows[Name][] => tables[name].newestFirst();
  return [
    defineRoute(`GET ${path}/:id`, expandOnly, ({ tables }, id) =>
      find === undefined ? tables[name].require(id) : find(tables, id),
    ),
    defineRoute(`GET ${path}`, schema, ({ tables }, _id, params) =>
      page(rowsOf(tables), params, { url: path, equal, matches: (row) => matches(row, params) }),
    ),
  ];
}
