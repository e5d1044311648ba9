#!/bin/sh
# Starts redis-server with the users of this service; arguments are redis-server's. No password is in the process list
# or in the server's environment: the server gets a file with their digests. Runs in the images of Redis and Valkey.
#   REDIS_PASSWORD (or _FILE)    of `billing`, which may use the data and may not administer the server
#   MONITOR_PASSWORD (or _FILE)  of `monitor`, which reads statistics and no data; unset: there is none
# Who gives no password may only PING, as health checks do.
set -eu
umask 077

secret() {
  eval "value=\${$1:-} file=\${$1_FILE:-}"
  if [ -n "$file" ]; then value=$(cat "$file"); fi
  printf %s "$value"
}
digest() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

password=$(secret REDIS_PASSWORD)
monitor=$(secret MONITOR_PASSWORD)
[ -n "$password" ] || { echo 'Set REDIS_PASSWORD or REDIS_PASSWORD_FILE.' >&2; exit 1; }

users=$(mktemp)
{
  echo 'user default on nopass resetkeys resetchannels -@all +ping'
  echo "user billing on #$(digest "$password") ~* resetchannels +@all -@admin -@dangerous +info"
  [ -z "$monitor" ] ||
    echo "user monitor on #$(digest "$monitor") resetkeys resetchannels -@all +ping +info +config|get +slowlog|get +slowlog|len +latency|latest +latency|histogram +client|setname"
} >"$users"

unset REDIS_PASSWORD MONITOR_PASSWORD password monitor value
exec "${REDIS_SERVER:-redis-server}" --aclfile "$users" "$@"
