import { dryRunOut } from '@billing/domain';
import type { AdminRole, ApiKeyScope, ErrorCode } from '@billing/domain';
import type { Login } from '@billing/platform';
import type { Actor, ApiKeyRecord, Database } from '@billing/store';
import { z } from 'zod';
import type { SignedIn } from '../console/find-signed-in.ts';
import type { AppDeps } from '../deps.ts';
import type { JsonObject } from '../openapi/json-schema.ts';

/**
 * The least role of an admin call, and how a name that is limited to a project makes it. Absent: the path names the
 * project; a call whose path does not is on all projects, and refused. `body`: the body names it in `project_id`.
 * `handler`: the handler looks at nothing but the rows of `onlyProject`.
 */
export type AdminAccess = { admin: AdminRole; limitedBy?: 'body' | 'handler' };

/**
 * Who may call: a project whose key has the scope, an administrator of at least the role, Stripe (signed), a scraper of metrics,
 * an operator who logs in with a browser, whoever is signed in to the console or has the credentials to, or anybody.
 */
export type Access =
  | { project: ApiKeyScope }
  | AdminAccess
  | 'stripe'
  | 'metrics'
  | 'queue-screen'
  | 'console'
  | 'sign-in'
  | 'open';

export type AccessKind = 'project' | 'admin' | Exclude<Access, object>;

export type Answer = {
  status: number;
  description: string;
  /** Absent: no body, or text of `contentType`. */
  schema?: z.ZodType;
  /** Default: application/json. */
  contentType?: string;
  example?: unknown;
  /** Besides `x-request-id`; always there. */
  headers?: Readonly<Record<string, { description: string; schema: JsonObject }>>;
};

/** A request header that means something to this endpoint. */
export type Header = {
  name: string;
  description: string;
  pattern: string;
  isRequired: boolean;
  example: string;
};

/** What `handle` answers. `status` defaults to that of the first answer; `text` is a finished body. */
export type Reply<Body = unknown> = { status?: number; headers?: Readonly<Record<string, string>> } & (
  { body: Body } | { text: string }
);

/** What handlers are made of. */
export type EndpointDeps = AppDeps & {
  /** The description of this API: the document as JSON, and the page made from it. */
  apiDescription: { json: string; page: string };
  /** Where an endpoint with `readsReplica` reads; of every other it is `database`. */
  reader: Database;
};

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** One operation of the API, as it is mounted and as it is described to its users. */
export type Endpoint = {
  method: Method;
  /** With parameters in braces; each of them is an identifier. */
  path: string;
  operationId: string;
  tag: Tag;
  summary: string;
  description?: string;
  access: Access;
  /**
   * Of a change: `dry_run` in the body, or in the query of a call without one, answers what it would do. The handler then
   * gets a database that keeps nothing; it must write in transactions only.
   */
  takesDryRun?: true;
  /**
   * What it answers may be some seconds old: `reader` may be a replica, unless the request says `cache-control: no-cache`. Never
   * for what a user may do, nor for one object by its id.
   */
  readsReplica?: true;
  query?: z.ZodObject;
  headers?: readonly Header[];
  /** `maxBytes`: of a body that may be longer than others. `entries`: a list whose entries `handle` checks one by one. */
  body?: { schema: z.ZodType; example: unknown; maxBytes?: number; entries?: string };
  answers: readonly [Answer, ...Answer[]];
  /** Besides those of every endpoint and of its kind of access. */
  errors: readonly ErrorCode[];
  /** Absent: `app.ts` mounts the operation by hand. */
  handle?(deps: EndpointDeps, input: UntypedInput): Reply | Promise<Reply>;
};

type RequestMeta = {
  /** A header of the request by its name in lower case. */
  header: (name: string) => string | undefined;
};
export type UntypedInput = RequestMeta & {
  params: object;
  query: unknown;
  body: unknown;
  project?: ApiKeyRecord;
  actor?: Actor;
  onlyProject?: string | null;
  signedIn?: SignedIn;
  login?: Login;
};

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;
type Params<Path extends string> = { [Name in ParamNames<Path>]: string };

/**
 * Who calls, as far as `access` tells. `actor` goes into the audit log (of a project: the key's id); `onlyProject` is the project that an
 * administrator is limited to, null: none; `login` is the try to sign in, by which a wrong one is counted.
 */
type Caller<A extends Access> = A extends { project: ApiKeyScope }
  ? { project: ApiKeyRecord; actor: Actor }
  : A extends AdminAccess
    ? { actor: Actor; onlyProject: string | null }
    : A extends 'console'
      ? { signedIn: SignedIn }
      : A extends 'sign-in'
        ? { login: Login }
        : unknown;

type BodyOf<A extends Answer> = A extends { schema: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;

type TypedEndpoint<
  Path extends string,
  A extends Access,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answers extends readonly [Answer, ...Answer[]],
> = Omit<Endpoint, 'path' | 'access' | 'query' | 'body' | 'answers' | 'handle'> & {
  path: Path;
  access: A;
  query?: Query;
  body?: { schema: Body; example: unknown; maxBytes?: number; entries?: string };
  answers: Answers;
  handle?(
    deps: EndpointDeps,
    input: RequestMeta & Caller<A> & { params: Params<Path>; query: z.output<Query>; body: z.output<Body> },
  ): Reply<BodyOf<Answers[number]>> | Promise<Reply<BodyOf<Answers[number]>>>;
};

/**
 * The one definition of an operation: mounting, authentication, parsing, 405 with `Allow`, the OpenAPI document and
 * the page at `/docs` come from it. `handle` gets what was parsed, and whoever `access` lets in.
 */
export const defineEndpoint = <
  const Path extends string,
  const A extends Access,
  const Answers extends readonly [Answer, ...Answer[]],
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodUndefined,
>(
  endpoint: TypedEndpoint<Path, A, Query, Body, Answers>,
): Endpoint => endpoint;

const dryRunAnswer = {
  status: 200,
  description: 'What would change: the answer to `dry_run`.',
  schema: dryRunOut,
  example: {
    changes: [{ path: 'name', before: 'Pro', after: 'Professional' }],
    affected_users: 0,
  },
} satisfies Answer;

/** Its answers, and what a dry run answers. */
export function answersOf({ answers, takesDryRun }: Endpoint): readonly Answer[] {
  if (takesDryRun === undefined) return answers;
  const own = answers.find(({ status }) => status === dryRunAnswer.status);
  if (own?.schema === undefined) return [...answers, dryRunAnswer];
  const both = {
    ...own,
    description: `${own.description} With \`dry_run\`: what would change.`,
    schema: z.union([own.schema, dryRunOut]),
  };
  return answers.map((answer) => (answer === own ? both : answer));
}

/** Names of the parameters in a path such as `/projects/{project_id}`. */
export const pathParameterNames = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);

/** The path as Express and the metrics write it. */
export const routePatternOf = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** What an address with these endpoints answers to. */
export const allowedMethods = (here: readonly Pick<Endpoint, 'method'>[]): string[] =>
  here.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));

export const tags = {
  Entitlements:
    'What may this user do? Asked on every guarded action, answered from a cache that knows every change.',
  Usage: 'May this user use so much, and take it: allowances, limits, reservations.',
  Selling: "Send a user to Stripe's pages: to buy, and to manage what was bought.",
  Subscriptions: 'What users have subscribed to: look, change, cancel, pause, resume.',
  Metrics: 'Numbers of one project.',
  Webhooks: 'What Stripe calls.',
  'Webhooks to products': 'Admin: where products hear of changes, and what was sent to them.',
  Projects: 'Admin: projects and their API keys.',
  Catalog: 'Admin: products with their features, prices, and whose Stripe customer is whose.',
  Access: 'Admin: features given and taken by hand.',
  Records: "Admin: what became of each of Stripe's events, and who did what.",
  Maintenance: 'Admin: compare with Stripe, repair, process again.',
  Console: 'Admin: how it stands, and who is signed in.',
  Operations: 'Health, metrics, descriptions.',
} as const;
export type Tag = keyof typeof tags;

/** The kind of access, without its scope or role. */
export function accessKindOf({ access }: Pick<Endpoint, 'access'>): AccessKind {
  if (typeof access === 'string') return access;
  return 'project' in access ? 'project' : 'admin';
}
