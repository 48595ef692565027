"""Does GitHub send its events to this stack, and does the stack take them?

Asks GitHub with the App's key where the App's webhook leads: the address must be the stack's, the content type JSON, a
secret set, certificates verified. Then it looks at the latest deliveries, of a day at most: one that was never answered
with success is an event that was lost, such as a label that started nothing. The stack itself asks for lost deliveries
again for three hours; what failed for longer has to be redelivered by hand.

A delivery answered 401 was signed with another secret than WebhookSecret. The mend is made in the App's settings: the
webhook's address and secret under General, a delivery's Redeliver button under Advanced. A person's token has no such
list: its webhooks belong to the repositories, and are not looked at.
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
from cloud_agent_doctor.engine.check import CannotLookError, Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloud_agent.adapters.github.requests import Answer
    from cloud_agent_doctor.engine.examination import Examination, Stack

LOOKED_BACK = timedelta(days=1)
_SHOWN = 5  # deliveries; more say no more


class Attempt(Delivery):
    """One attempt at a delivery, with what it was about."""

    event: str
    status: str

    @property
    def words(self) -> str:
        """In one clause."""
        return f"{self.id} ({self.event}, {self.delivered_at:%Y-%m-%d %H:%M:%S} UTC: {self.status_code} {self.status})"


_ATTEMPTS: TypeAdapter[list[Attempt]] = TypeAdapter(list[Attempt])


def examine(examination: Examination) -> Iterator[Finding]:
    """Find a webhook that leads elsewhere, is not secured, or whose deliveries fail."""
    connection = github.connect(examination)
    if not connection.is_app:
        raise NotApplicableError("a person's token: its webhooks belong to the repositories")
    faults = configuration_faults(_get(connection, "/app/hook/config").document, examination.stack)
    if faults:
        yield Finding(
            resource=f"webhook of the GitHub App {connection.credentials.app_id}",
            problem=f"The App's webhook is not set up for this stack: {'; '.join(faults)}.",
            meaning="Labels, comments and closed pull requests do nothing, or could be forged.",
            mend=f"In the App's settings, General, Webhook: URL {_addresses(examination.stack)[0]}, content type "
            "application/json, the secret of WebhookSecret, SSL verification enabled.",
            confirm=_confirm(examination),
        )
    answer = _get(connection, "/app/hook/deliveries?per_page=100")
    try:
        failed = lost(_ATTEMPTS.validate_python(answer.document), datetime.now(UTC) - LOOKED_BACK)
    except ValidationError as error:
        raise CannotLookError(f"GitHub's answer to {answer.request} is not as documented") from error
    if failed:
        yield _lost(examination, connection, failed)


def configuration_faults(config: Mapping[str, object], stack: Stack) -> list[str]:
    """Return what of the webhook's configuration is not as this stack needs it."""
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
        faults.append("it does not verify certificates")
    return faults


def lost(attempts: Iterable[Attempt], since: datetime) -> list[Attempt]:
    """Return the latest attempt of each delivery that never arrived, newest first."""
    by_guid: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda one: one.delivered_at, reverse=True):
        by_guid[attempt.guid].append(attempt)
    return [
        tried[0]
        for tried in by_guid.values()
        if tried[0].delivered_at >= since and not any(attempt.has_arrived for attempt in tried)
    ]


def _addresses(stack: Stack) -> list[str]:
    """Where GitHub may send: to the address of the stack's output, which may be a domain of its own, or the API's."""
    bases = [stack.outputs["HttpApiUrl"], stack.outputs.get("AgentApiUrl", "")]
    return list(dict.fromkeys(f"{base.rstrip('/')}/webhook" for base in bases if base))


def _get(connection: github.GitHub, path: str) -> Answer:
    try:
        answer = connection.get(path)
    except (GitHubUnavailableError, ConfigurationError) as error:
        raise CannotLookError(str(error)) from error
    if answer.status != HTTPStatus.OK:
        raise CannotLookError(answer.words)
    return answer


def _lost(examination: Examination, connection: github.GitHub, failed: list[Attempt]) -> Finding:
    shown = ", ".join(attempt.words for attempt in failed[:_SHOWN])
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    unsigned = any(attempt.status_code == HTTPStatus.UNAUTHORIZED for attempt in failed)
    first = (
        "Enter the value of WebhookSecret as the webhook's secret: 401 is a signature by another. " if unsigned else ""
    )
    return Finding(
        resource=f"webhook of the GitHub App {connection.credentials.app_id}",
        problem=f"Of the latest deliveries {len(failed)} never arrived: {shown}{more}.",
        meaning="What they told of has not happened here: a label, a comment, a closed pull request.",
        mend=f"{first}In the App's settings, Advanced, Recent Deliveries: Redeliver each that still matters.",
        confirm=_confirm(examination),
    )


def _confirm(examination: Examination) -> str:
    """GitHub answers these questions to the App alone, for which no command of GitHub's own asks."""
    return f"cloud-agent doctor --stack {examination.stack.name}"


CHECK = Check(
    name="webhook",
    question="Does GitHub send its events to this stack, and does the stack take them?",
    examine=examine,
    actions=github.ACTIONS,
)
