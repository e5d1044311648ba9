"""The settings of a load test, from the environment. `npm run seed:load` prints most of them."""

import os
import sys
from dataclasses import dataclass


def _text(name, default=""):
    return os.environ.get(name, "").strip() or default


def _number(name, default):
    text = _text(name, str(default))
    try:
        return float(text)
    except ValueError:
        sys.exit(f"{name} must be a number, not {text!r}")


@dataclass(frozen=True)
class Settings:
    host: str
    api_key: str
    project_id: str
    price_id: str
    webhook_secret: str
    user_prefix: str
    user_count: int
    checkout_users: range
    webhook_users: range
    subscription_prefix: str
    item_prefix: str
    customer_prefix: str
    event_price: str
    metrics_urls: tuple
    metrics_token: str
    wait_min: float
    wait_max: float
    ramp_seconds: float
    end_to_end_users: int
    duplicate_share: float
    usage_feature: str
    usage_users: range
    usage_clients: int


def read_settings():
    """Reads and checks the environment; ends the process with one message that names every missing variable."""
    required = ["API_KEY", "PROJECT_ID", "PRICE_ID", "WEBHOOK_SECRET", "SUBSCRIPTION_PREFIX", "CUSTOMER_PREFIX"]
    missing = [name for name in required if not _text(name)]
    if missing:
        sys.exit(
            f"Set {', '.join(missing)} in the environment. `npm run --silent seed:load -- --warm > .local/load.env` "
            "makes the data and prints these lines; perf/README.md says more."
        )
    user_count = int(_number("USER_COUNT", 1000))
    host = _text("HOST", "http://127.0.0.1:8000").rstrip("/")
    metrics_urls = _text("METRICS_URLS", f"{host}/metrics")
    return Settings(
        host=host,
        api_key=_text("API_KEY"),
        project_id=_text("PROJECT_ID"),
        price_id=_text("PRICE_ID"),
        webhook_secret=_text("WEBHOOK_SECRET").split(",")[0],
        user_prefix=_text("USER_PREFIX", "load-user-"),
        user_count=user_count,
        checkout_users=_span("CHECKOUT_USER", user_count * 6 // 10 + 1, user_count),
        webhook_users=_span("WEBHOOK_USER", 1, user_count * 6 // 10),
        subscription_prefix=_text("SUBSCRIPTION_PREFIX"),
        item_prefix=_text("SUBSCRIPTION_ITEM_PREFIX", "si_load_"),
        customer_prefix=_text("CUSTOMER_PREFIX"),
        event_price=_text("EVENT_STRIPE_PRICE", "price_load"),
        metrics_urls=tuple(url.strip() for url in metrics_urls.split(",") if url.strip()),
        metrics_token=_text("METRICS_TOKEN"),
        wait_min=_number("WAIT_MIN_SECONDS", 1),
        wait_max=_number("WAIT_MAX_SECONDS", 3),
        ramp_seconds=_number("RAMP_SECONDS", 10),
        end_to_end_users=int(_number("END_TO_END_USERS", 1)),
        duplicate_share=_number("DUPLICATE_SHARE", 0.02),
        # Data of an older seed have no metered feature: then nobody uses one.
        usage_feature=_text("USAGE_FEATURE"),
        usage_users=_span("USAGE_USER", 1, user_count * 6 // 10),
        usage_clients=int(_number("USAGE_CLIENTS", 5)) if _text("USAGE_FEATURE") else 0,
    )


def _span(name, first, last):
    """The user numbers of one task, both ends included; at least one."""
    start = int(_number(f"{name}_FROM", first))
    end = int(_number(f"{name}_TO", last))
    if end < start:
        sys.exit(f"{name}_FROM..{name}_TO is empty ({start}..{end}): seed more users, or other shares.")
    return range(start, end + 1)
