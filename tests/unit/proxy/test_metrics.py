"""What CloudWatch is told, by the rules of its embedded metric format."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent_proxy.access.admissions import Admissions
from cloud_agent_proxy.directory import SessionDirectory
from cloud_agent_proxy.metrics import Metrics
from cloud_agent_proxy.revisions import Revisions
from cloud_agent_proxy.routes import Routes
from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError, Traffic
from cloud_agent_proxy.session import Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ID = "09e22a8b"
NOW = 1_795_341_600.123  # 2026-11-22T10:00:00.123Z
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
UNITS = {
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"),
    *(f"{size}{thing}" for size in ("", "Kilo", "Mega", "Giga", "Tera") for thing in ("bytes", "bits")),
}


class Haproxy(RuntimeApi):
    """Has counted what a test says."""

    def __init__(self) -> None:
        self.counted = Traffic(0, 0, 0, 0, 0)
        self.refuses = False

    async def traffic(self) -> Traffic:
        if self.refuses:
            raise RuntimeApiError("show stat: no answer")
        return self.counted

    async def _ask(self, _: str) -> str:
        return ""


class Store:
    async def get(self, session_id: str) -> Session | None:
        return Session.model_validate({"id": session_id, "status": "RUNNING", "ip": "10.0.0.1", "port": 3000})

    async def get_many(self, session_ids: list[str]) -> dict[str, Session | None]:
        return {session_id: await self.get(session_id) for session_id in session_ids}


@pytest.fixture
def haproxy() -> Haproxy:
    return Haproxy()


@pytest.fixture
def routes(haproxy: Haproxy) -> Routes:
    return Routes(haproxy)


@pytest.fixture
def directory(haproxy: Haproxy, routes: Routes) -> SessionDirectory:
    seconds = iter([100.0, *([107.5] * 100)])
    forget = Admissions(haproxy).forget_session
    network, revisions = IPv4Network("10.0.0.0/8"), Revisions(haproxy)
    return SessionDirectory(Store(), routes, revisions, network, forget, lambda: next(seconds))


@pytest.fixture
def report(
    haproxy: Haproxy, routes: Routes, directory: SessionDirectory, capfd: pytest.CaptureFixture[str]
) -> Callable[[], Awaitable[dict[str, Any]]]:
    metrics = Metrics(haproxy, routes, directory, lambda: NOW)

    async def written() -> dict[str, Any]:
        await metrics.report()
        (line,) = capfd.readouterr().out.splitlines()
        return dict(json.loads(line))

    return written


async def test_a_report_says_what_happened_since_the_last_and_how_things_stand(
    haproxy: Haproxy, directory: SessionDirectory, report: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    haproxy.counted = Traffic(requests=100, client_errors=10, server_errors=3, dev_server_errors=2, open_streams=4)
    assert {"Requests": 100, "ActiveSockets": 4, "SessionsRouted": 0, "TableLagSeconds": 7.5}.items() <= (
        await report()
    ).items()
    haproxy.counted = Traffic(requests=150, client_errors=11, server_errors=3, dev_server_errors=9, open_streams=1)
    await directory.look_up(ID)
    second = await report()
    assert {name: second[name] for name in defined(second)} == {
        "Requests": 50,
        "ClientErrors": 1,
        "ServerErrors": 0,
        "DevServerErrors": 7,
        "ActiveSockets": 1,
        "SessionsRouted": 1,
        "TableLagSeconds": 7.5,
    }


def defined(document: dict[str, Any]) -> dict[str, str]:
    """Return the metrics with their units."""
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}


async def test_a_report_keeps_the_rules_of_the_embedded_metric_format(
    report: Callable[[], Awaitable[dict[str, Any]]],
) -> None:
    document = await report()
    assert {"Timestamp", "CloudWatchMetrics"} == document["_aws"].keys()
    assert int(NOW * 1000) == document["_aws"]["Timestamp"]  # milliseconds, a whole number
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert {"Namespace", "Dimensions", "Metrics"} == directive.keys()
    assert directive["Namespace"] == "ClaudeCloudAgent"
    assert directive["Dimensions"] == [["Service"]]
    assert document["Service"] == "uat-proxy"  # a dimension's target is a text at the root
    assert 1 <= len(directive["Metrics"]) <= 100
    for metric in directive["Metrics"]:
        assert {"Name", "Unit"} == metric.keys()
        assert 1 <= len(metric["Name"]) <= 255
        assert metric["Unit"] in UNITS
        target = document[metric["Name"]]  # a metric's target is a number at the root
        assert isinstance(target, int | float)
        assert not isinstance(target, bool)
    assert defined(document)["TableLagSeconds"] == "Seconds"
    assert tuple(document[name] for name in ("level", "message", "timestamp")) == (
        "INFO",
        "metrics",
        "2026-11-22T10:00:00.123+00:00",
    )


async def test_what_one_report_could_not_read_is_in_the_next(
    haproxy: Haproxy, routes: Routes, directory: SessionDirectory, capfd: pytest.CaptureFixture[str]
) -> None:
    metrics = Metrics(haproxy, routes, directory, lambda: NOW)
    haproxy.counted = replace(haproxy.counted, requests=7)
    haproxy.refuses = True
    await metrics.report()
    assert capfd.readouterr().out == ""
    haproxy.refuses = False
    await metrics.report()
    assert json.loads(capfd.readouterr().out)["Requests"] == 7


async def test_an_error_counted_on_one_side_first_is_never_less_than_none_and_never_twice(
    haproxy: Haproxy, report: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    reported = []
    for total in (5, 4, 5, 6):
        haproxy.counted = replace(haproxy.counted, server_errors=total)
        reported.append((await report())["ServerErrors"])
    assert reported == [5, 0, 0, 1]
