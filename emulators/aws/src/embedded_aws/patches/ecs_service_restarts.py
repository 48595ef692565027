"""Defect: a service whose task keeps failing is given a new one at once, again and again.

AWS documents that the service scheduler slows down restarts of tasks that repeatedly fail to start. Here the
pause doubles from 0.5 s to 30 s; it is over with a task that lives for a minute, or a new deployment.

Source: Amazon ECS Developer Guide, "Service throttle logic". Of the pauses' lengths none found; assumed.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import ecs

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_HEALTHY_AFTER_SECONDS = 60.0


@dataclass
class _Pause:
    """What a deployment has failed at so far, in monotonic seconds."""

    failures: int = 0
    last_failure: float = 0.0
    until: float = 0.0
    is_awaited: bool = False

    def add_failure(self) -> None:
        now = time.monotonic()
        if now - max(self.last_failure, self.until) > _HEALTHY_AFTER_SECONDS:
            self.failures = 0
        self.until = now + min(_FIRST_PAUSE_SECONDS * 2.0**self.failures, _LONGEST_PAUSE_SECONDS)
        self.failures += 1
        self.last_failure = now


_pauses: dict[str, _Pause] = {}  # by deployment id


def apply() -> None:
    """Count failures, and let the scheduler wait for the end of the pause."""
    wrap(ecs, "_record_service_task_failure", _record_failure)
    wrap(ecs, "_reconcile_service_tasks", _reconcile)


def _record_failure(original: Callable[..., None], task: dict[str, Any], *args: object, **kwargs: object) -> None:
    if deployment_id := task.get("_deployment_id"):
        _pauses.setdefault(deployment_id, _Pause()).add_failure()
    original(task, *args, **kwargs)


def _reconcile(original: Callable[..., None], cluster: str, service_key: str) -> None:
    service = ecs._services.get(service_key) or {}
    deployment = ecs._primary_deployment(service) if service else None
    pause = _pauses.get((deployment or {}).get("id", ""))
    remaining = pause.until - time.monotonic() if pause else 0.0
    if pause is None or remaining <= 0 or not service.get("desiredCount"):
        original(cluster, service_key)
    elif not pause.is_awaited:
        pause.is_awaited = True
        _reconcile_after(remaining, pause, cluster, service_key)


def _reconcile_after(seconds: float, pause: _Pause, cluster: str, service_key: str) -> None:
    account, region = get_account_id(), get_region()

    def reconcile() -> None:
        pause.is_awaited = False
        with request_scope(account, region):
            ecs._reconcile_service_tasks(cluster, service_key)

    timer = threading.Timer(seconds, reconcile)
    timer.daemon = True
    timer.start()
