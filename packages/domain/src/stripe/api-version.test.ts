import { apiVersionOf, stripeShapes } from '@billing/testing';
import { apiReleaseOf } from './api-version.ts';

describe('the release of an API version', () => {
  it.each(stripeShapes)('%s', (shape) => {
    expect(apiReleaseOf(apiVersionOf[shape])).toBe(shape);
  });

  it.each([
    ['2022-11-15', 'unnamed'],
    ['2027-03-01.fuchsia', 'unknown'],
    ['2027-03-01', 'unknown'],
    ['anything\nelse', 'unknown'],
    [null, 'none'],
  ])('%s is %s', (version, release) => {
    expect(apiReleaseOf(version)).toBe(release);
  });
});
