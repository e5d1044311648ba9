"""Reads counters from /metrics (Prometheus text)."""

import re
from urllib.request import Request, urlopen

HITS = "entitlement_cache_hits_total"
MISSES = "entitlement_cache_misses_total"


def read_cache_counters(settings):
    """Hits and misses, summed over all processes of METRICS_URLS."""
    hits = misses = 0.0
    for url in settings.metrics_urls:
        text = _get(url, settings.metrics_token)
        hits += _sum(text, HITS)
        misses += _sum(text, MISSES)
    return hits, misses


def _get(url, token):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(url, headers=headers), timeout=10) as response:
        return response.read().decode()


def _sum(text, name):
    pattern = rf"^{name}(?:\{{[^}}]*\}})?\s+(\S+)"
    return sum(float(value) for value in re.findall(pattern, text, re.MULTILINE))
