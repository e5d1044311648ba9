"""Verifies the messages of standard input by the package standardwebhooks: as they are, and not when they were changed."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

messages = json.load(sys.stdin)
for message in messages:
    webhook = Webhook(message["secret"])
    webhook.verify(message["body"], message["headers"])
    try:
        webhook.verify(message["body"] + " ", message["headers"])
    except WebhookVerificationError:
        continue
    sys.exit("A message that was changed is verified all the same.")
print(len(messages), "verified")
