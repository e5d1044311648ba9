import * as fc from 'fast-check';
import { mergePages } from './merge-pages.ts';
import type { Position } from './merge-pages.ts';

type Row = { id: string; created: number; isShown: boolean };

/** What Stripe would answer for each customer. */
const pagesOf = (lists: ReadonlyMap<string, readonly Row[]>, positions: readonly Position[], limit: number) =>
  positions.map(({ customer, after }) => {
    const list = lists.get(customer) ?? [];
    const start = after === '' ? 0 : list.findIndex(({ id }) => id === after) + 1;
    const rows = list.slice(start, start + limit);
    return { customer, rows, hasMore: start + limit < list.length };
  });

const list = fc.array(fc.record({ created: fc.nat(6), isShown: fc.boolean() }), { maxLength: 12 });

test('pages of several lists make one, newest first, with each shown row once', () => {
  fc.assert(
    fc.property(
      fc.array(list, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 5 }),
      (drawn, limit) => {
        const lists = new Map(
          drawn.map((rows, customer) => [
            `cus_${customer}`,
            rows
              .toSorted((a, b) => b.created - a.created)
              .map((row, index) => ({ ...row, id: `in_${customer}_${index}` })),
          ]),
        );
        const seen: Row[] = [];
        let positions: Position[] = [...lists.keys()].map((customer) => ({ customer, after: '' }));
        for (let turns = 0; positions.length > 0; turns += 1) {
          expect(turns).toBeLessThan(100);
          const page = mergePages(pagesOf(lists, positions, limit), {
            limit,
            before: positions,
            isShown: ({ isShown }: Row) => isShown,
          });
          seen.push(...page.rows);
          positions = page.next;
        }
        const shown = [...lists.values()].flat().filter(({ isShown }) => isShown);
        expect(seen.map(({ id }) => id).toSorted()).toEqual(shown.map(({ id }) => id).toSorted());
        expect(seen.map(({ created }) => created)).toEqual(
          shown.map(({ created }) => created).toSorted((a, b) => b - a),
        );
      },
    ),
  );
});
