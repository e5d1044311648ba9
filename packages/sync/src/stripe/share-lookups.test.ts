import { createSharedLookups } from './share-lookups.ts';

const nothing = (): void => undefined;

function withResolvers<T>() {
  let resolve: (value: T) => void = nothing;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

/** A lookup that waits for its place, goes out, and is answered, each when the test says so. */
function scripted() {
  const placed = withResolvers<undefined>();
  const answered = withResolvers<string>();
  const read = async (sent: () => void): Promise<string> => {
    await placed.promise;
    sent();
    return answered.promise;
  };
  return { read, place: () => placed.resolve(undefined), answer: answered.resolve };
}

it('a lookup that has not gone out is shared; one that has is not', async () => {
  const share = createSharedLookups<string>();
  const [first, second] = [scripted(), scripted()];
  const waiting = [
    share('sub_1', first.read),
    share('sub_1', () => Promise.reject(new Error('a second lookup'))),
  ];
  first.place();
  await Promise.resolve();
  const late = share('sub_1', second.read);
  first.answer('old');
  second.place();
  second.answer('new');
  expect(await Promise.all(waiting)).toEqual(['old', 'old']);
  expect(await late).toBe('new');
});

it('a failed lookup is not kept', async () => {
  const share = createSharedLookups<string>();
  await expect(share('sub_1', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await share('sub_1', () => Promise.resolve('there'))).toBe('there');
});
