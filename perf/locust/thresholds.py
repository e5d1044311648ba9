"""The thresholds of a load test. A limit that is not met makes the run fail and is named."""

import os
from dataclasses import dataclass

CHECK = "check_entitlements"
CHECKOUT = "create_checkout"
WEBHOOK = "process_webhook"
VISIBLE = "webhook_to_entitlement"
USE = "use_feature"


@dataclass(frozen=True)
class Line:
    name: str
    figure: str
    limit: str
    is_ok: bool
    # A goal is only reported; a limit decides the exit code.
    is_limit: bool


def _limit(variable, default):
    return float(os.environ.get(variable, "") or default)


def evaluate(stats, cache, end_to_end, usage):
    """
    All lines of the result. `cache` is (hits, misses) while requests were counted, or None if unreadable; `end_to_end` and
    `usage`: whether these classes took part.
    """
    lines = []
    entitlements = _limit("LIMIT_ENTITLEMENTS_P95_MS", 100)
    lines.append(_percentile(stats, CHECK, 0.95, entitlements, True))
    lines.append(_percentile(stats, CHECKOUT, 0.95, _limit("LIMIT_CHECKOUT_P95_MS", 500), True))
    lines.append(_percentile(stats, WEBHOOK, 0.95, _limit("LIMIT_WEBHOOK_P95_MS", 1_000), True))
    if end_to_end:
        lines.append(_percentile(stats, VISIBLE, 0.99, _limit("LIMIT_VISIBLE_P99_MS", 2_000), True))
    if usage:
        lines.append(_percentile(stats, USE, 0.95, _limit("LIMIT_USE_FEATURE_P95_MS", 100), True))
    lines.append(_errors(stats, _limit("LIMIT_ERRORS_PERCENT", 1)))
    lines.append(_hit_rate(cache, _limit("LIMIT_HIT_RATE_PERCENT", 80)))
    for quantile, goal in ((0.50, 20), (0.95, 50), (0.99, 100)):
        lines.append(_percentile(stats, CHECK, quantile, goal, False))
    if usage:
        for quantile, goal in ((0.50, 6), (0.95, 15)):
            lines.append(_percentile(stats, USE, quantile, goal, False))
    return lines


def _percentile(stats, name, quantile, limit_ms, is_limit):
    entries = [entry for (entry_name, _), entry in stats.entries.items() if entry_name == name]
    label = f"{name} p{round(quantile * 100)}"
    limit = f"< {limit_ms:g} ms"
    if not entries or entries[0].num_requests == 0:
        return Line(label, "no requests were counted", limit, False, is_limit)
    figure = entries[0].get_response_time_percentile(quantile)
    return Line(label, f"{figure:g} ms of {entries[0].num_requests}", limit, figure < limit_ms, is_limit)


def _errors(stats, limit_percent):
    total = stats.total
    percent = 100 * total.fail_ratio
    figure = f"{percent:.2f} % ({total.num_failures} of {total.num_requests})"
    return Line("errors", figure, f"< {limit_percent:g} %", total.num_requests > 0 and percent < limit_percent, True)


def _hit_rate(cache, limit_percent):
    label, limit = "cache hit rate", f"> {limit_percent:g} %"
    if cache is None:
        return Line(label, "unknown (/metrics was not read)", limit, False, True)
    hits, misses = cache
    if hits + misses <= 0:
        return Line(label, "no reads were counted", limit, False, True)
    percent = 100 * hits / (hits + misses)
    return Line(label, f"{percent:.1f} % ({hits:g} of {hits + misses:g})", limit, percent > limit_percent, True)


def render(lines):
    """The result as a table, the limits that were not met by name, and whether all limits were met."""
    rows = [(_word(line), line.name, line.figure, line.limit) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    broken = [line for line in lines if line.is_limit and not line.is_ok]
    summary = "All thresholds hold."
    if broken:
        summary = "\n".join(f"THRESHOLD BROKEN: {line.name} is {line.figure}, wanted {line.limit}" for line in broken)
    return "\n".join(["", "Thresholds", *table, summary]), not broken


def _word(line):
    if line.is_limit:
        return "ok" if line.is_ok else "FAIL"
    return "goal met" if line.is_ok else "goal missed"
