"""POST /webhook: GitHub's deliveries. Verified first, then decided, then handed over to be acted on once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.aws.secrets import accepted_secrets
from cloud_agent.domain.errors import CloudAgentError
from cloud_agent.observability import logger, metrics, tracer
from cloud_agent.settings import WebhookSettings, load
from cloud_agent.webhook.comment import steer
from cloud_agent.webhook.decide import decide
from cloud_agent.webhook.decisions import (
    CommentEdit,
    End,
    Follow,
    FollowBase,
    Ignore,
    LabelPull,
    Review,
    ReviewEdit,
    Start,
    Steer,
)
from cloud_agent.webhook.delivery import read_delivery
from cloud_agent.webhook.edit import edit
from cloud_agent.webhook.end import end
from cloud_agent.webhook.follow import follow, follow_base
from cloud_agent.webhook.launch import decide_again_when_overtaken
from cloud_agent.webhook.once import once
from cloud_agent.webhook.pull_label import label_pull
from cloud_agent.webhook.responses import error_response, outcome_response
from cloud_agent.webhook.review import steer_by_review
from cloud_agent.webhook.start import start

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from cloud_agent.webhook.decisions import Decision

app = APIGatewayHttpResolver()
app.exception_handler(CloudAgentError)(error_response)


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Guarantees an answer with a reason to every delivery, well within the 10 s that GitHub waits."""
    return app.resolve(event, context)


@app.post("/webhook")
def receive() -> Response[str]:
    """Act on one delivery."""
    metrics.add_metric("DeliveriesReceived", MetricUnit.Count, 1)
    settings = load(WebhookSettings)
    delivery = read_delivery(app.current_event, accepted_secrets(settings.webhook_secret_arn))
    logger.append_keys(delivery_id=delivery.id, github_event=delivery.event_name)
    rules = (settings.trigger_labels, settings.tracker_projects, settings.bots)
    decision = decide(delivery.event_name, delivery.id, delivery.payload, *rules)
    return outcome_response(_act(settings, decision))


def _act(settings: WebhookSettings, decision: Decision) -> dict[str, str]:
    match decision:
        case Ignore():
            return {"ignored": decision.reason}
        case End():
            return end(settings, decision)
        case Follow():
            return follow(settings, decision)
        case FollowBase():
            return follow_base(settings, decision)
        case CommentEdit() | ReviewEdit():
            return edit(settings, decision)
        case LabelPull():
            act = partial(label_pull, settings, decision)
        case Start():
            act = partial(start, settings, decision)
        case Steer():
            act = partial(steer, settings, decision)
        case Review():
            act = partial(steer_by_review, settings, decision)
    decided = partial(decide_again_when_overtaken, act)
    return once(decided, decision.identity, settings.idempotency_table, app.lambda_context)
