# Functions for the commands of docs/operations.md: `. deploy/runbook.sh` in sh or bash, at the root of the repository, with
# DATABASE_URL, REDIS_URL, CACHE_REDIS_URL (default: REDIS_URL), API, ADMIN and API_KEY set. Passwords and secrets reach the
# programs through their environment or standard input, never as arguments: `ps` shows those to every user of the machine.

# A part of the URL in the variable $1, as JavaScript's expression $2 of `u` says.
# Of several hosts `u` has the first; `hosts` are all.
url_part() {
  NAME=$1 node -p "const text = process.env[process.env.NAME];
    const [, start, hosts, rest] = /^([^/]*\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)/.exec(text);
    const u = new URL(start + hosts.split(',')[0] + rest); $2"
}

# redis-cli's arguments for a URL, but its password. A user without a password would be read as one.
redis_arguments() {
  url_part "$1" "['-h', u.hostname.replace(/^\[|\]$/g, ''), '-p', u.port || 6379]
    .concat(/^\/\d+$/.test(u.pathname) ? ['-n', u.pathname.slice(1)] : [], u.username ? ['--user', u.username] : [])
    .concat(u.protocol === 'rediss:' ? ['--tls'] : [], [['sslrootcert', '--cacert'], ['sslcert', '--cert'], ['sslkey', '--key']]
      .flatMap(([name, option]) => u.searchParams.has(name) ? [option, u.searchParams.get(name)] : [])).join(' ')"
}
# redis-cli with the password $1 (empty: none) in its environment.
redis_with() {
  auth=$1
  shift
  if [ -n "$auth" ]; then REDISCLI_AUTH=$auth redis-cli --no-auth-warning "$@"; else redis-cli "$@"; fi
}

export DATABASE_URL REDIS_URL CACHE_REDIS_URL="${CACHE_REDIS_URL:-$REDIS_URL}"
queue_redis_arguments=$(redis_arguments REDIS_URL)
queue_redis_password=$(url_part REDIS_URL 'decodeURIComponent(u.password)')
cache_redis_arguments=$(redis_arguments CACHE_REDIS_URL)
cache_redis_password=$(url_part CACHE_REDIS_URL 'decodeURIComponent(u.password)')
# The arguments are words without spaces.
# shellcheck disable=SC2086
queue_redis() { redis_with "$queue_redis_password" $queue_redis_arguments "$@"; }
# shellcheck disable=SC2086
cache_redis() { redis_with "$cache_redis_password" $cache_redis_arguments "$@"; }

# What psql, pg_dump and pg_restore take: without the password, and without parameters that only this service knows.
DB=$(url_part DATABASE_URL "u.password = '';
  for (const name of ['schema', 'connection_limit', 'pgbouncer']) u.searchParams.delete(name);
  u.href.replace(/^(\w+:\/\/(?:[^@/?#]*@)?)[^/?#]*/, (_, start) => start + hosts)")
PGPASSWORD=$(url_part DATABASE_URL 'decodeURIComponent(u.password)')
export DB
# Without one they look into ~/.pgpass.
if [ -n "$PGPASSWORD" ]; then export PGPASSWORD; else unset PGPASSWORD; fi
sql() { psql "$DB" "$@"; }

# Calls with the admin secret, and with the project's key. The header comes from standard input.
admin() { printf 'Authorization: Bearer %s' "$ADMIN" | curl -sS -H @- "$@"; }
project() { printf 'Authorization: Bearer %s' "$API_KEY" | curl -sS -H @- "$@"; }
