import { traceIdOf } from './trace-id.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';

test.each([
  { what: 'sampled', header: `00-${traceId}-${parentId}-01`, found: traceId },
  { what: 'sampled, with a flag of later versions', header: `00-${traceId}-${parentId}-03`, found: traceId },
  { what: 'a later version with more parts', header: `01-${traceId}-${parentId}-01-more`, found: traceId },
  { what: 'not sampled', header: `00-${traceId}-${parentId}-00`, found: undefined },
  { what: 'version 00 with more parts', header: `00-${traceId}-${parentId}-01-more`, found: undefined },
  { what: 'the forbidden version', header: `ff-${traceId}-${parentId}-01`, found: undefined },
  { what: 'upper case', header: `00-${traceId.toUpperCase()}-${parentId}-01`, found: undefined },
  { what: 'no trace', header: `00-${'0'.repeat(32)}-${parentId}-01`, found: undefined },
  { what: 'no parent', header: `00-${traceId}-${'0'.repeat(16)}-01`, found: undefined },
  { what: 'too short', header: `00-${traceId.slice(1)}-${parentId}-01`, found: undefined },
  { what: 'not hexadecimal', header: `00-${traceId}-${parentId}-zz`, found: undefined },
  { what: 'empty', header: '', found: undefined },
])('traceparent, $what', ({ header, found }) => {
  expect(traceIdOf({ traceparent: header })).toBe(found);
});

test('without the header there is no trace', () => {
  expect(traceIdOf({})).toBeUndefined();
});
