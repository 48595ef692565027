"""Does GitHub send its events to this stack, and does the stack accept them?

Asks GitHub, with the App's key, for the App's webhook settings: the URL must be the stack's, the content type JSON, a
secret set, certificates verified. Then checks the latest deliveries, of one day at most: one that never succeeded is
a lost event, such as a label that started nothing. The stack itself requests redelivery of lost events for three
hours; older ones have to be redelivered manually. A ping, which GitHub sends once the App has its webhook and often
before there's a stack, is nobody's event: it matters as long as nothing has arrived after it.

A delivery answered with 401 was signed with a secret other than WebhookSecret. The fix is made in the App's settings:
the webhook's URL and secret under General, a delivery's Redeliver button under Advanced. A personal token has no such
list: its webhooks belong to the repositories, and aren't checked.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from cloud_agent.domain.errors import ConfigurationError, GitHubUnavailableError
from cloud_agent.domain.policy.redelivery import Delivery
from cloud_agent_doctor import github
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloud_agent.adapters.github.requests import Response
    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

LOOKED_BACK = timedelta(days=1)
_SHOWN = 5  # deliveries; more don't help


class Attempt(Delivery):
    """One attempt at a delivery, and its event."""

    event: str
    status: str

    @property
    def text(self) -> str:
        """In one clause."""
        return f"{self.id} ({self.event}, {self.delivered_at:%Y-%m-%d %H:%M:%S} UTC: {self.status_code} {self.status})"


_ATTEMPTS: TypeAdapter[list[Attempt]] = TypeAdapter(list[Attempt])


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a webhook that points elsewhere, isn't secured, or whose deliveries fail."""
    connection = github.connect(context)
    if not connection.is_app:
        raise NotApplicableError("a personal token: its webhooks belong to the repositories")
    faults = configuration_faults(_get(connection, "/app/hook/config").document, context.stack)
    if faults:
        yield Finding(
            resource=f"webhook of the GitHub App {connection.credentials.app_id}",
            problem=f"The App's webhook isn't set up for this stack: {'; '.join(faults)}.",
            impact="Labels, comments and closed pull requests do nothing, or can be forged.",
            remediation=f"In the App's settings, General, Webhook: URL {_addresses(context.stack)[0]}, content type "
            "application/json, the secret of WebhookSecret, SSL verification enabled.",
            confirm=_confirm(context),
        )
    response = _get(connection, "/app/hook/deliveries?per_page=100")
    try:
        failed = lost(_ATTEMPTS.validate_python(response.document), datetime.now(UTC) - LOOKED_BACK)
    except ValidationError as error:
        raise DataUnavailableError(f"GitHub's response to {response.request} isn't as documented") from error
    if failed:
        yield _lost(context, connection, failed)


def configuration_faults(config: Mapping[str, object], stack: Stack) -> list[str]:
    """Return what's wrong with the webhook's configuration for this stack."""
    addresses = _addresses(stack)
    url = str(config.get("url") or "")
    faults = []
    if url not in addresses:
        faults.append(f"its URL is {url or 'empty'}, not {' or '.join(addresses)}")
    if config.get("content_type") != "json":
        faults.append(f"its content type is {config.get('content_type')}, not json")
    if not config.get("secret"):
        faults.append("it has no secret")
    if url.startswith("https://") and str(config.get("insecure_ssl", "0")) != "0":
        faults.append("it doesn't verify certificates")
    return faults


def lost(attempts: Iterable[Attempt], since: datetime) -> list[Attempt]:
    """Return the latest attempt at each delivery that never succeeded, newest first.

    Not a ping after which something has arrived: that's the response to it.
    """
    by_guid: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda one: one.delivered_at, reverse=True):
        by_guid[attempt.guid].append(attempt)
    arrived = [one.delivered_at for tried in by_guid.values() for one in tried if one.has_arrived]
    latest = max(arrived, default=since)
    return [
        tried[0]
        for tried in by_guid.values()
        if tried[0].delivered_at >= since
        and not any(attempt.has_arrived for attempt in tried)
        and not (tried[0].event == "ping" and tried[0].delivered_at < latest)
    ]


def _addresses(stack: Stack) -> list[str]:
    """Return the URLs GitHub may send to: the stack's output, which may be a custom domain, and the API's own."""
    bases = [stack.outputs["HttpApiUrl"], stack.outputs.get("AgentApiUrl", "")]
    return list(dict.fromkeys(f"{base.rstrip('/')}/webhook" for base in bases if base))


def _get(connection: github.GitHub, path: str) -> Response:
    try:
        response = connection.get(path)
    except (GitHubUnavailableError, ConfigurationError) as error:
        raise DataUnavailableError(str(error)) from error
    if response.status != HTTPStatus.OK:
        raise DataUnavailableError(response.summary)
    return response


def _lost(context: CheckContext, connection: github.GitHub, failed: list[Attempt]) -> Finding:
    shown = ", ".join(attempt.text for attempt in failed[:_SHOWN])
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    unsigned = any(attempt.status_code == HTTPStatus.UNAUTHORIZED for attempt in failed)
    first = (
        "Enter the value of WebhookSecret as the webhook's secret: 401 means another one signed it. "
        if unsigned
        else ""
    )
    return Finding(
        resource=f"webhook of the GitHub App {connection.credentials.app_id}",
        problem=f"{len(failed)} of the latest deliveries never succeeded: {shown}{more}.",
        impact="Their events had no effect: a label, a comment, a closed pull request.",
        remediation=f"{first}In the App's settings, Advanced, Recent Deliveries: redeliver each one that still "
        "matters.",
        confirm=_confirm(context),
    )


def _confirm(context: CheckContext) -> str:
    """Return the doctor's own command: GitHub answers these requests to the App alone, which its CLI can't be."""
    return f"cloud-agent doctor --stack {context.stack.name}"


CHECK = Check(
    name="webhook",
    question="Does GitHub send its events to this stack, and does the stack accept them?",
    run=run,
    actions=github.ACTIONS,
)
