"""Stripe events about seeded subscriptions: of the shape and size that Stripe sends, signed as Stripe signs."""

import hashlib
import hmac
import json
import random
import time
import uuid
from datetime import datetime, timezone

API_VERSION = "2026-10-28.endive"
PERIOD_SECONDS = 30 * 86_400
# Stripe makes several events about an object at a time: a renewal makes about this many.
EVENTS_IN_A_ROW = 4


def sign(body, secret, timestamp=None):
    """The Stripe-Signature header: HMAC-SHA256 over "<timestamp>.<body>"."""
    timestamp = int(time.time()) if timestamp is None else timestamp
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class SubscriptionEvents:
    """
    Makes events of the subscriptions `numbers`, several in a row about each, with a `created` that strictly rises
    per subscription: the worker can apply each from its payload and never needs a lookup at Stripe.
    """

    def __init__(self, settings, numbers):
        self._settings = settings
        self._numbers = list(numbers)
        self._next = random.randrange(len(self._numbers))
        self._left = 0
        self._last_created = {}
        self._period_start = {}

    def next_event(self):
        """An event as bytes: three in four are small changes, one is a renewal."""
        if self._left == 0:
            self._next = (self._next + 1) % len(self._numbers)
            self._left = EVENTS_IN_A_ROW
        self._left -= 1
        number = self._numbers[self._next]
        if self._left == EVENTS_IN_A_ROW - 1:
            self._period_start[number] = int(time.time())
        if self._left == EVENTS_IN_A_ROW - 2:
            return self._encode("invoice.paid", number, self._invoice(number), None)
        before = {"default_payment_method": f"pm_{_token(number, 24)}"}
        return self._encode("customer.subscription.updated", number, self._subscription(number), before)

    def renewal(self, number):
        """A renewal of one subscription and the end of its new period, as the entitlement answer writes it."""
        start = max(int(time.time()), self._period_start.get(number, 0) + 1)
        self._period_start[number] = start
        before = {"latest_invoice": f"in_{_token(number, 24)}"}
        body = self._encode("customer.subscription.updated", number, self._subscription(number), before)
        end = datetime.fromtimestamp(start + PERIOD_SECONDS, timezone.utc)
        return body, end.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def _encode(self, kind, number, stripe_object, before):
        created = max(int(time.time()), self._last_created.get(number, 0) + 1)
        self._last_created[number] = created
        event_id = f"evt_load_{uuid.uuid4().hex}"
        data = {"object": stripe_object}
        if before is not None:
            data["previous_attributes"] = before
        event = {
            "id": event_id,
            "object": "event",
            "api_version": API_VERSION,
            "created": created,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": f"req_{uuid.uuid4().hex[:14]}", "idempotency_key": str(uuid.uuid4())},
            "type": kind,
        }
        # Stripe sends its JSON indented by two.
        return json.dumps(event, indent=2).encode()

    def _period(self, number):
        today = int(time.time()) // 86_400 * 86_400
        start = self._period_start.get(number, today)
        return start, start + PERIOD_SECONDS

    def _metadata(self, number):
        settings = self._settings
        return {
            "user_id": f"{settings.user_prefix}{number}",
            "project_id": settings.project_id,
            "price_id": "basic-month",
            "quantity": "1",
        }

    def _subscription(self, number):
        settings = self._settings
        start, end = self._period(number)
        began = start - PERIOD_SECONDS
        subscription = f"{settings.subscription_prefix}{number}"
        payment_methods = {
            "acss_debit": None,
            "bancontact": None,
            "card": {"network": None, "request_three_d_secure": "automatic"},
            "customer_balance": None,
            "konbini": None,
            "sepa_debit": None,
            "us_bank_account": None,
        }
        item = {
            "id": f"{settings.item_prefix}{number}_1",
            "object": "subscription_item",
            "billing_thresholds": None,
            "created": began,
            "current_period_end": end,
            "current_period_start": start,
            "discounts": [],
            "metadata": {},
            "plan": _plan(settings.event_price, began),
            "price": _price(settings.event_price, began),
            "quantity": 1,
            "subscription": subscription,
            "tax_rates": [],
        }
        return {
            "id": subscription,
            "object": "subscription",
            "application": None,
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": began,
            "billing_cycle_anchor_config": None,
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": began},
            "billing_thresholds": None,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": {"comment": None, "feedback": None, "reason": None},
            "collection_method": "charge_automatically",
            "created": began,
            "currency": "usd",
            "customer": f"{settings.customer_prefix}{number}",
            "customer_account": None,
            "days_until_due": None,
            "default_payment_method": f"pm_{_token(number + 1, 24)}",
            "default_source": None,
            "default_tax_rates": [],
            "description": None,
            "discounts": [],
            "ended_at": None,
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "items": {
                "object": "list",
                "data": [item],
                "has_more": False,
                "total_count": 1,
                "url": f"/v1/subscription_items?subscription={subscription}",
            },
            "latest_invoice": f"in_load_{_token(number + start, 24)}",
            "livemode": False,
            "metadata": self._metadata(number),
            "next_pending_invoice_item_invoice": None,
            "on_behalf_of": None,
            "pause_collection": None,
            "payment_settings": {
                "payment_method_options": payment_methods,
                "payment_method_types": ["card"],
                "save_default_payment_method": "on_subscription",
            },
            "pending_invoice_item_interval": None,
            "pending_setup_intent": None,
            "pending_update": None,
            "schedule": None,
            "start_date": began,
            "status": "active",
            "test_clock": None,
            "transfer_data": None,
            "trial_end": None,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "trial_start": None,
        }

    def _invoice(self, number):
        settings = self._settings
        start, end = self._period(number)
        subscription = f"{settings.subscription_prefix}{number}"
        invoice = f"in_load_{_token(number + start, 24)}"
        parent = {
            "quote_details": None,
            "subscription_details": {"metadata": self._metadata(number), "subscription": subscription},
            "type": "subscription_details",
        }
        line_parent = {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription,
                "subscription_item": f"{settings.item_prefix}{number}_1",
            },
            "type": "subscription_item_details",
        }
        line = {
            "id": f"il_{_token(number + start, 24)}",
            "object": "line_item",
            "amount": 900,
            "currency": "usd",
            "description": "1 × Load test plan (at $9.00 / month)",
            "discount_amounts": [],
            "discountable": True,
            "discounts": [],
            "invoice": invoice,
            "livemode": False,
            "metadata": self._metadata(number),
            "parent": line_parent,
            "period": {"end": end, "start": start},
            "pretax_credit_amounts": [],
            "pricing": {
                "price_details": {"price": settings.event_price, "product": "prod_load"},
                "type": "price_details",
                "unit_amount_decimal": "900",
            },
            "quantity": 1,
            "taxes": [],
        }
        return {
            "id": invoice,
            "object": "invoice",
            "account_country": "US",
            "account_name": "Load test",
            "account_tax_ids": None,
            "amount_due": 900,
            "amount_overpaid": 0,
            "amount_paid": 900,
            "amount_remaining": 0,
            "amount_shipping": 0,
            "application": None,
            "attempt_count": 1,
            "attempted": True,
            "auto_advance": False,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "status": None},
            "automatically_finalizes_at": None,
            "billing_reason": "subscription_cycle",
            "collection_method": "charge_automatically",
            "created": start,
            "currency": "usd",
            "custom_fields": None,
            "customer": f"{settings.customer_prefix}{number}",
            "customer_address": None,
            "customer_email": None,
            "customer_name": None,
            "customer_phone": None,
            "default_payment_method": None,
            "default_tax_rates": [],
            "description": None,
            "discounts": [],
            "due_date": None,
            "effective_at": start,
            "ending_balance": 0,
            "footer": None,
            "from_invoice": None,
            "hosted_invoice_url": f"https://invoice.stripe.com/i/acct_load/test_{_token(number, 60)}",
            "invoice_pdf": f"https://pay.stripe.com/invoice/acct_load/test_{_token(number, 60)}/pdf",
            "issuer": {"type": "self"},
            "last_finalization_error": None,
            "latest_revision": None,
            "lines": {
                "object": "list",
                "data": [line],
                "has_more": False,
                "total_count": 1,
                "url": f"/v1/invoices/{invoice}/lines",
            },
            "livemode": False,
            "metadata": {},
            "next_payment_attempt": None,
            "number": f"LOAD{number:07d}-0001",
            "on_behalf_of": None,
            "parent": parent,
            "payment_settings": {
                "default_mandate": None,
                "payment_method_options": None,
                "payment_method_types": ["card"],
            },
            "period_end": start,
            "period_start": start - PERIOD_SECONDS,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "receipt_number": None,
            "starting_balance": 0,
            "statement_descriptor": None,
            "status": "paid",
            "status_transitions": {
                "finalized_at": start,
                "marked_uncollectible_at": None,
                "paid_at": start,
                "voided_at": None,
            },
            "subtotal": 900,
            "subtotal_excluding_tax": 900,
            "test_clock": None,
            "total": 900,
            "total_discount_amounts": [],
            "total_excluding_tax": 900,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
            "webhooks_delivered_at": start,
        }


def _plan(price, created):
    return {
        "id": price,
        "object": "plan",
        "active": True,
        "amount": 900,
        "amount_decimal": "900",
        "billing_scheme": "per_unit",
        "created": created,
        "currency": "usd",
        "interval": "month",
        "interval_count": 1,
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": None,
        "product": "prod_load",
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _price(price, created):
    return {
        "id": price,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": "usd",
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": "prod_load",
        "recurring": {
            "interval": "month",
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": 900,
        "unit_amount_decimal": "900",
    }


def _token(seed, length):
    """Letters as in Stripe's ids: the same for the same seed."""
    digest = hashlib.sha256(str(seed).encode()).hexdigest()
    return (digest * (length // len(digest) + 1))[:length]
