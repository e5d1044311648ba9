import { z } from 'zod';

/** Also as Python (`True`) and others write a boolean into a query. */
const truthy = ['true', 'True', 'TRUE', '1'];
const falsy = ['false', 'False', 'FALSE', '0'];

/** A boolean in a query; `meaning` is its description, to which the words that are taken are added. */
export const queryFlag = (meaning: string) =>
  z
    .stringbool({ truthy, falsy, case: 'sensitive' })
    .optional()
    .meta({
      // What is read is text; clients should see what it means.
      type: 'boolean',
      description: `${meaning} Taken are ${[...truthy, ...falsy].map((word) => `\`${word}\``).join(', ')}.`,
    });
