"""Webhook deliveries that were lost on the way: GitHub sends each once, unless it is asked to send it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.deliveries import WebhookDeliveries
from cloud_agent.domain.policy.redelivery import LOOKED_BACK, Delivery, lost

if TYPE_CHECKING:
    from cloud_agent.reconciler.reconciliation import Reconciliation

_AT_ONCE = 20  # deliveries a reconciliation: after an outage the webhook is not to be flooded


def repeat_lost_deliveries(run: Reconciliation) -> None:
    """Ask for those that are due, the oldest first. Only an App may: a personal token has no list of deliveries."""
    credentials = read_github_credentials(run.settings.github_secret_arn)
    if credentials.token:
        return
    deliveries = WebhookDeliveries(run.settings.github_api_url, credentials)

    def repeat(delivery: Delivery) -> None:
        deliveries.repeat(delivery)
        run.did("DeliveryRepeated", delivery=delivery.guid)

    due = lost(deliveries.since(run.now - LOOKED_BACK), run.now)
    run.each({delivery.guid: delivery for delivery in due[:_AT_ONCE]}, repeat)
