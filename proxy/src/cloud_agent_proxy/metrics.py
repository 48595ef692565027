"""What CloudWatch is told once a minute, in its embedded metric format: a line of the log that it reads metrics from.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from cloud_agent_proxy.json_logs import write_event
from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.routes import Routes

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 60
_NAMESPACE = "ClaudeCloudAgent"
_SERVICE = "uat-proxy"
_UNITS = {
    "Requests": "Count",
    "ClientErrors": "Count",
    "ServerErrors": "Count",
    "DevServerErrors": "Count",
    "ActiveSockets": "Count",
    "SessionsRouted": "Count",
    "TableLagSeconds": "Seconds",
}


class Metrics:
    """Reads HAProxy's own counters; nothing is counted while a request passes."""

    def __init__(
        self,
        haproxy: RuntimeApi,
        routes: Routes,
        directory: SessionDirectory,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._haproxy = haproxy
        self._routes = routes
        self._directory = directory
        self._clock = clock
        self._reported: dict[str, int] = {}
        """The highest total of each counter so far."""

    async def report_forever(self) -> None:
        """Report once a minute; whatever goes wrong, the next minute's report covers both."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.report()

    async def report(self) -> None:
        """Write what has happened since the last report, and how things stand now."""
        try:
            traffic = await self._haproxy.traffic()
        except RuntimeApiError as error:
            logger.error("traffic not read", extra={"reason": str(error)})  # noqa: TRY400 - the text says it all
            return
        totals = {
            "Requests": traffic.requests,
            "ClientErrors": traffic.client_errors,
            "ServerErrors": traffic.server_errors,
            "DevServerErrors": traffic.dev_server_errors,
        }
        self._write(
            {name: self._increase(name, total) for name, total in totals.items()}
            | {
                "ActiveSockets": traffic.open_streams,
                "SessionsRouted": len(self._routes),
                "TableLagSeconds": self._directory.freshness.table_lag_seconds,
            }
        )

    def _increase(self, name: str, total: int) -> int:
        """Return by how much the total exceeds every former one.

        HAProxy counts an answer for the dev server when it begins and for the visitor when it has ended, so a
        difference of the two can shrink for a while; that is no news, and neither is its coming back.
        """
        former = self._reported.get(name, 0)
        self._reported[name] = max(former, total)
        return self._reported[name] - former

    def _write(self, values: dict[str, float]) -> None:
        now = self._clock()
        directive = {
            "Namespace": _NAMESPACE,
            "Dimensions": [["Service"]],
            "Metrics": [{"Name": name, "Unit": _UNITS[name]} for name in values],
        }
        metadata = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
        write_event("metrics", now, {"_aws": metadata, "Service": _SERVICE, **values})
