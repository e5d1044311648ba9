import { createStartupParameters } from './startup-parameters.ts';

const violation = (message: string): Error => Object.assign(new Error(message), { code: '08P01' });

test.each<[string, Error, boolean, string[]]>([
  ['a time-out', violation('unsupported startup parameter: statement_timeout'), true, []],
  ['the zone', violation('unsupported startup parameter: timezone'), true, ['TimeZone']],
  ['the format, as an option', violation('unsupported option DateStyle'), true, ['DateStyle']],
  ['all, named by none', violation('startup parameters are not supported'), true, ['TimeZone', 'DateStyle']],
  ['nothing: the pooler has no connection', violation('query_wait_timeout'), false, []],
  ['nothing: another error', new Error('unsupported startup parameter: TimeZone'), false, []],
])('%s is refused', (_what, error, isRefusal, ofResults) => {
  const startup = createStartupParameters({ statement_timeout: 5_000 });
  expect(startup.isRefusal(error)).toBe(isRefusal);
  expect(startup.refusedOfResults()).toEqual(ofResults);
});

test('a connection asks for what was not refused', () => {
  const startup = createStartupParameters({ statement_timeout: 5_000 });
  const asked = startup.wanted;
  expect(asked()).toMatchObject({ TimeZone: 'UTC', DateStyle: 'ISO, MDY', statement_timeout: '5000' });
  startup.isRefusal(violation('unsupported startup parameter: statement_timeout'));
  expect(Object.keys(asked())).toEqual(expect.not.arrayContaining(['statement_timeout']));
  expect(asked()).toMatchObject({ TimeZone: 'UTC', DateStyle: 'ISO, MDY' });
});
