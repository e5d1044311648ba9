import { z } from 'zod';

/** What the page needs of an OpenAPI document. It is our own, but parsed all the same. */
export type Schema = { [key: string]: unknown };
const schema: z.ZodType<Schema> = z.record(z.string(), z.unknown());
const media = z.object({
  schema,
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown().optional() })).default({}),
});
const parameter = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean(),
  description: z.string().optional(),
  schema,
});
const answer = z.object({
  description: z.string(),
  'x-error-codes': z.array(z.string()).default([]),
  headers: z
    .record(
      z.string(),
      z.union([z.object({ $ref: z.string() }), z.object({ description: z.string(), schema })]),
    )
    .default({}),
  content: z.record(z.string(), media).optional(),
});
export type Answer = z.output<typeof answer>;

const operation = z.object({
  operationId: z.string(),
  tags: z.array(z.string()),
  summary: z.string(),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.unknown())),
  parameters: z.array(parameter).default([]),
  requestBody: z.object({ content: z.record(z.string(), media) }).optional(),
  responses: z.record(z.string(), z.union([z.object({ $ref: z.string() }), answer])),
});
export const documentSchema = z.object({
  info: z.object({ title: z.string(), description: z.string() }),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  /** What is sent to others, by its type. */
  webhooks: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({
    schemas: z.record(z.string(), schema),
    responses: z.record(z.string(), answer),
    examples: z.record(z.string(), z.object({ description: z.string() })),
  }),
});
export type Document = z.output<typeof documentSchema>;
export type Operation = z.output<typeof operation>;
export type Parameter = z.output<typeof parameter>;
