#!/bin/sh
# Checks the Prometheus configuration and rules and runs the unit tests of the alerts. Needs promtool (Debian: the
# package `prometheus`). Without it the exit code is 77: not run.
set -eu
cd "$(dirname "$0")/prometheus"
promtool="${PROMTOOL:-promtool}"
if ! command -v "$promtool" >/dev/null 2>&1; then
  echo 'promtool is not installed: apt-get install --no-install-recommends prometheus' >&2
  exit 77
fi
"$promtool" check config --syntax-only prometheus.yml prometheus.local.yml
"$promtool" check rules --lint-fatal rules/*.yml
"$promtool" test rules tests/*.test.yml
