/**
 * A URL for each host of a URL that may name several (`postgres://user@db-1:5432,db-2/billing`), in their order; all else of it
 * is alike in each. The first stands for what all share: user, password, database and parameters.
 */
export function hostUrls(url: string): [first: string, ...others: string[]] {
  const [, scheme = '', authority = '', rest = ''] =
    /^([\w+.-]+:\/\/)?([^/?#]*)(.*)$/s.exec(url.trim()) ?? [];
  const at = authority.lastIndexOf('@') + 1;
  const [first = '', ...others] = authority.slice(at).split(',');
  const toUrl = (host: string): string => `${scheme}${authority.slice(0, at)}${host.trim()}${rest}`;
  return [toUrl(first), ...others.map(toUrl)];
}

/** The URLs of a comma-separated list, each of which may name several hosts. */
export const splitUrls = (list: string): string[] =>
  list.split(/,(?=\s*[\w+.-]+:\/\/)/).map((url) => url.trim());

/** Where a database URL leads to, without login and parameters, for messages. */
export function placeOf(databaseUrl: string): string {
  const urls = hostUrls(databaseUrl).map((url) => new URL(url));
  const hosts = urls.map(({ hostname, port }) => `${hostname}:${port || '5432'}`);
  return `${hosts.join(',')}${urls[0]?.pathname ?? ''}`;
}
