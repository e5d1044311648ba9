import { toCsv } from '../src/pages/sold/to-csv.ts';

test('quotes what needs it, and starts no formula', () => {
  const rows = [
    { id: 'a,b', note: 'says "no"' },
    { id: '=1+1', note: null },
  ];
  const text = toCsv(rows, [
    ['id', ({ id }) => id],
    ['note', ({ note }) => note],
  ]);
  expect(text).toBe('id,note\r\n"a,b","says ""no"""\r\n\'=1+1,\r\n');
});
