import * as fc from 'fast-check';
import type { Endpoint } from '../../http/define-endpoint.ts';
import { arbitraryOf } from './arbitrary.test-support.ts';
import { closedDocument } from './call-endpoint.test-support.ts';
import type { Call } from './call-endpoint.test-support.ts';
import type { Known } from './start-seeded-api.test-support.ts';

type Schema = Record<string, unknown>;
type Parameter = { name: string; in: string; required: boolean; schema: Schema };
type Operation = { parameters?: Parameter[]; requestBody?: { content: Record<string, { schema: Schema }> } };

const document = closedDocument as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const { schemas } = document.components;

/** Events of types that are handled, with objects of any content. */
const handledEvent = fc.record(
  {
    id: fc.oneof(fc.stringMatching(/^evt_[A-Za-z0-9]{8,20}$/), fc.string({ maxLength: 300 })),
    object: fc.constantFrom('event', 'v2.core.event'),
    type: fc.constantFrom(
      'customer.subscription.updated',
      'checkout.session.completed',
      'invoice.paid',
      'charge.refunded',
      'made.up',
    ),
    created: fc.oneof(fc.integer(), fc.double(), fc.string()),
    livemode: fc.boolean(),
    account: fc.string(),
    data: fc.record({
      object: fc.oneof(
        fc.dictionary(
          fc.constantFrom(
            'id',
            'object',
            'customer',
            'status',
            'items',
            'metadata',
            'created',
            '__proto__',
            'x',
          ),
          fc.jsonValue({ maxDepth: 5 }),
        ),
        fc.jsonValue(),
      ),
    }),
  },
  { requiredKeys: ['id', 'type', 'data'] },
);

export type Drawn = Required<Omit<Call, 'authorization'>> & {
  /** Ids are those that exist, wherever possible. */
  usesKnown: boolean;
  /** The index of the id in the request that is drawn all the same; past the last: none. */
  unknownIndex: number;
  /** Which of all credentials it is sent with; null: those that the endpoint asks for. */
  credentialIndex: number | null;
};

/** Requests as the description allows them, mostly. */
export function requestOf(endpoint: Endpoint): fc.Arbitrary<Drawn> {
  const { parameters = [], requestBody } = document.paths[endpoint.path]?.[endpoint.method] ?? {};
  const valuesIn = (place: string) => {
    const here = parameters.filter((each) => each.in === place);
    const values = here.map(({ name, required, schema }) => {
      const value = arbitraryOf(schema, schemas);
      // With all filters at once no row would be left.
      return [name, required ? value : fc.option(value, { freq: 2, nil: undefined })] as const;
    });
    return fc
      .record(Object.fromEntries(values))
      .map((drawn) => Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined)));
  };
  const [media] = Object.values(requestBody?.content ?? {});
  const body = media === undefined ? fc.constant(undefined) : arbitraryOf(media.schema, schemas);
  return fc.record({
    path: valuesIn('path'),
    query: valuesIn('query'),
    headers: valuesIn('header'),
    body: endpoint.access === 'stripe' ? fc.oneof(handledEvent, body) : body,
    credentials: fc.oneof(
      { weight: 18, arbitrary: fc.constant('right' as const) },
      { weight: 1, arbitrary: fc.constantFrom('wrong' as const, 'none' as const) },
    ),
    usesKnown: fc.boolean(),
    unknownIndex: fc.nat({ max: 11 }),
    credentialIndex: fc.option(fc.noBias(fc.nat({ max: 9_999 })), { freq: 2, nil: null }),
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Puts ids that exist into a request: drawn ones would never hit any. */
export function useKnown(drawn: Drawn, known: Known): Call {
  const { path, query, headers, body, usesKnown, unknownIndex } = drawn;
  const places = [path, query, headers, isObject(body) ? body : {}];
  const names = places.flatMap((values) => Object.keys(values)).filter((name) => Object.hasOwn(known, name));
  const met = new Set(usesKnown ? names.filter((_name, index) => index !== unknownIndex) : []);
  const withKnown = (values: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        const choices = met.has(name) ? (known[name] ?? []) : [];
        return [name, choices[(JSON.stringify(value) ?? '').length % choices.length] ?? value];
      }),
    );
  return {
    ...drawn,
    path: withKnown(path),
    query: withKnown(query),
    headers: withKnown(headers),
    body: isObject(body) ? withKnown(body) : body,
  };
}
