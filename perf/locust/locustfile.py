"""
The load suite: product backends that check entitlements, start checkouts and take from allowances, and Stripe that sends
webhooks.

    locust -f perf/locust/locustfile.py --headless --users 100 --spawn-rate 20 --run-time 60s

Settings come from the environment (settings.py). The first RAMP_SECONDS are not counted; at the end the thresholds
(thresholds.py) decide the exit code, and the ones that were missed are named.
"""

import logging
import random
import time
import uuid

import gevent
from locust import FastHttpUser, between, events, task
from locust.runners import WorkerRunner

import thresholds
from scrape import read_cache_counters
from settings import read_settings
from stripe_events import SubscriptionEvents, sign

settings = read_settings()
log = logging.getLogger("load")

# The end-to-end class has subscriptions of its own, so that no other event overtakes the one it waits for.
END_TO_END_SHARE = 10
# The Locust processes of one run divide the subscriptions: no two make events about the same one.
MOST_PROCESSES = 64
POLL_SECONDS = 0.01
VISIBLE_DEADLINE_SECONDS = 10


class Pools:
    """This process's share of the seeded subscriptions. Built once the process knows its index."""

    def __init__(self, environment):
        numbers = settings.webhook_users
        if isinstance(environment.runner, WorkerRunner):
            index = max(environment.runner.worker_index, 0) % MOST_PROCESSES
            numbers = numbers[index::MOST_PROCESSES] or numbers
        reserved = max(1, len(numbers) // END_TO_END_SHARE) if settings.end_to_end_users > 0 else 0
        kept = len(numbers) - reserved
        if kept < 1:
            raise SystemExit("There are too few subscriptions for this many Locust processes: seed more users.")
        self.webhooks = SubscriptionEvents(settings, numbers[:kept])
        self.end_to_end_numbers = list(numbers[kept:])
        self.end_to_end = SubscriptionEvents(settings, self.end_to_end_numbers) if reserved else None


def pools(environment):
    if not hasattr(environment, "load_pools"):
        environment.load_pools = Pools(environment)
    return environment.load_pools


def send_webhook(user, body, name):
    """Posts one signed event. The signature is made now: Stripe signs each attempt anew."""
    headers = {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": sign(body, settings.webhook_secret),
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    with user.client.post(
        "/api/v1/webhooks/stripe", data=body, headers=headers, name=name, catch_response=True
    ) as response:
        if response.status_code != 200:
            response.failure(problem_of(response))
            return False
        return True


def problem_of(response):
    """One line for the report: the status and the problem's code."""
    try:
        code = (response.json() or {}).get("code", "")
    except (ValueError, AttributeError):
        code = ""
    return f"{response.status_code} {code}".strip()


class BillingUser(FastHttpUser):
    """The usual mix of requests: 10 checks to 5 checkouts to 2 webhooks."""

    host = settings.host
    wait_time = between(settings.wait_min, settings.wait_max)
    weight = 1

    def on_start(self):
        self.auth = {"authorization": f"Bearer {settings.api_key}"}

    @task(10)
    def check_entitlements(self):
        user_id = f"{settings.user_prefix}{random.randint(1, settings.user_count)}"
        query = f"user_id={user_id}&project_id={settings.project_id}"
        with self.client.get(
            f"/api/v1/entitlements?{query}", headers=self.auth, name=thresholds.CHECK, catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(problem_of(response))
            elif response.json().get("user_id") != user_id:
                response.failure("the answer is about another user")

    @task(5)
    def create_checkout(self):
        body = {
            "user_id": f"{settings.user_prefix}{random.choice(settings.checkout_users)}",
            "project_id": settings.project_id,
            "price_id": settings.price_id,
            "mode": "subscription",
            "success_url": "https://example.com/success?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://example.com/cancel",
        }
        headers = {**self.auth, "idempotency-key": str(uuid.uuid4())}
        with self.client.post(
            "/api/v1/checkout/create", json=body, headers=headers, name=thresholds.CHECKOUT, catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(problem_of(response))
            elif not response.json().get("checkout_url"):
                response.failure("the answer has no checkout_url")

    @task(2)
    def process_webhook(self):
        body = pools(self.environment).webhooks.next_event()
        send_webhook(self, body, thresholds.WEBHOOK)
        if random.random() < settings.duplicate_share:
            send_webhook(self, body, thresholds.WEBHOOK)


class MeteredUser(FastHttpUser):
    """A product that takes from an allowance before each piece of work, and repeats what it is not sure of."""

    host = settings.host
    wait_time = between(settings.wait_min, settings.wait_max)
    fixed_count = settings.usage_clients
    if fixed_count == 0:
        abstract = True

    @task
    def use_feature(self):
        body = {
            "user_id": f"{settings.user_prefix}{random.choice(settings.usage_users)}",
            "feature_code": settings.usage_feature,
            "event_id": str(uuid.uuid4()),
        }
        answer = self.take(body)
        if answer is not None and answer["recorded"] and random.random() < settings.duplicate_share:
            self.take(body, is_repeated=True)

    def take(self, body, is_repeated=False):
        """The answer; None where there is none. Denied is an answer: users whose payment failed have no allowance."""
        headers = {"authorization": f"Bearer {settings.api_key}"}
        with self.client.post(
            "/api/v1/usage", json=body, headers=headers, name=thresholds.USE, catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(problem_of(response))
                return None
            answer = response.json()
            if answer.get("event_id") != body["event_id"]:
                response.failure("the answer is about another event")
                return None
            if answer["recorded"] != answer["allowed"]:
                response.failure("recorded and not allowed, or the other way round")
            elif answer["duplicate"] != is_repeated:
                response.failure("taken twice" if is_repeated else "taken before")
            return answer


class EndToEndUser(FastHttpUser):
    """From a webhook to the first read that shows its effect: queue, worker, Postgres and cache together."""

    host = settings.host
    wait_time = between(settings.wait_min, settings.wait_max)
    fixed_count = settings.end_to_end_users
    if fixed_count == 0:
        abstract = True

    @task
    def webhook_to_entitlement(self):
        own = pools(self.environment)
        number = own.end_to_end_numbers[0]
        own.end_to_end_numbers.append(own.end_to_end_numbers.pop(0))
        body, period_end = own.end_to_end.renewal(number)
        began = time.perf_counter()
        if not send_webhook(self, body, "send_webhook"):
            return
        problem = None
        while not self.shows(number, period_end):
            if time.perf_counter() - began > VISIBLE_DEADLINE_SECONDS:
                problem = TimeoutError(f"not visible within {VISIBLE_DEADLINE_SECONDS} s")
                break
            gevent.sleep(POLL_SECONDS)
        self.environment.events.request.fire(
            request_type="E2E",
            name=thresholds.VISIBLE,
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=problem,
            context={},
        )

    def shows(self, number, period_end):
        headers = {"authorization": f"Bearer {settings.api_key}"}
        url = f"/api/v1/entitlements?user_id={settings.user_prefix}{number}"
        with self.client.get(url, headers=headers, name="poll_entitlements", catch_response=True) as response:
            if response.status_code != 200:
                response.failure(problem_of(response))
                return False
            found = response.json().get("entitlements", [])
            return any(entry.get("current_period_end") == period_end for entry in found)


class Counters:
    """Cache hits and misses: the counters after the ramp, and how many were added from then to the end."""

    is_ramp_over = False
    before = None
    counted = None


def is_in_charge(environment):
    return not isinstance(environment.runner, WorkerRunner)


def read_counters():
    try:
        return read_cache_counters(settings)
    except OSError as error:
        log.error("reading %s failed: %s", ", ".join(settings.metrics_urls), error)
        return None


@events.test_start.add_listener
def begin(environment, **_):
    if is_in_charge(environment):
        Counters.before = Counters.counted = None
        Counters.is_ramp_over = False
        gevent.spawn(count_after_ramp, environment)


def count_after_ramp(environment):
    gevent.sleep(settings.ramp_seconds)
    Counters.is_ramp_over = True
    Counters.before = read_counters()
    environment.stats.reset_all()
    log.info("counting from now on: the first %g s were the ramp", settings.ramp_seconds)


@events.test_stop.add_listener
def end(environment, **_):
    if not is_in_charge(environment):
        return
    after = read_counters()
    if Counters.before is not None and after is not None:
        Counters.counted = (after[0] - Counters.before[0], after[1] - Counters.before[1])
    # With the web page the process goes on. Without it, `report` prints the result after all processes have reported.
    if environment.web_ui is not None:
        print(check_thresholds(environment)[0], flush=True)


@events.quitting.add_listener
def report(environment, **_):
    if is_in_charge(environment):
        text, is_ok = check_thresholds(environment)
        print(text, flush=True)
        environment.process_exit_code = 0 if is_ok else 1


def check_thresholds(environment):
    """The result as text, and whether all thresholds hold."""
    has_end_to_end = settings.end_to_end_users > 0 and EndToEndUser in (environment.user_classes or [])
    has_usage = settings.usage_clients > 0 and MeteredUser in (environment.user_classes or [])
    lines = thresholds.evaluate(environment.stats, Counters.counted, has_end_to_end, has_usage)
    text, is_ok = thresholds.render(lines)
    if not Counters.is_ramp_over:
        return f"{text}\nTHRESHOLD BROKEN: the run ended before the ramp of {settings.ramp_seconds:g} s did", False
    return text, is_ok
