"""Schedule: probes the canary by its public name, as a visitor's browser would."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.aws.secrets import read_uat_access_keys
from cloud_agent.adapters.aws.tasks import Tasks
from cloud_agent.adapters.table.canary_row import put_canary
from cloud_agent.domain.errors import TaskNotRunningError
from cloud_agent.domain.session.access_cookie import access_cookie
from cloud_agent.domain.session.canary import CANARY_ID, CANARY_RESPONSE
from cloud_agent.domain.session.entry_link import UatAccess
from cloud_agent.domain.session.session import session_url
from cloud_agent.observability import logger, metrics, tracer
from cloud_agent.settings import load
from cloud_agent_doctor.probe import NoResponseError, probe
from cloud_agent_doctor.settings import CanarySettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_ATTEMPTS = 3
_PAUSE_SECONDS = 3  # the proxy follows a changed row within 2 s
_OK = 200


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - AWS's signature
    """Guarantees that `CanaryProbes` is 1 if a visitor reaches a healthy dev server now, else 0, whatever the cause.

    Where the path breaks is for the doctor to find.
    """
    settings = load(CanarySettings)
    try:
        task = Tasks(settings.cluster_arn).find_of_service(settings.canary_service)
    except TaskNotRunningError as error:
        return _result(reached=False, reason=str(error))
    put_canary(settings.sessions_table, task)
    reason = ""
    for number in range(_ATTEMPTS):
        if number:
            time.sleep(_PAUSE_SECONDS)
        reason = _probe(settings)
        if not reason:
            break
    return _result(reached=not reason, reason=reason)


def _probe(settings: CanarySettings) -> str:
    """Return what's wrong with the response; empty if it's the canary's."""
    cookie = ""
    if settings.uat_access is not UatAccess.PUBLIC:
        signing_key = read_uat_access_keys(settings.uat_access_keys_arn).signing_key
        cookie = access_cookie(CANARY_ID, signing_key, datetime.now(UTC))
    url = session_url(settings.uat_url, CANARY_ID)
    try:
        response = probe(f"{url}/", cookie)
    except NoResponseError as error:
        return f"{url}: {error}"
    if response.status != _OK or response.body != CANARY_RESPONSE:
        return f"{url} responded with {response.status}, and not with the canary's body"
    return ""


def _result(*, reached: bool, reason: str) -> dict[str, Any]:
    metrics.add_metric("CanaryProbes", MetricUnit.Count, int(reached))
    if not reached:
        logger.warning("canary not reached", extra={"reason": reason})
    return {"reached": reached, "reason": reason}
