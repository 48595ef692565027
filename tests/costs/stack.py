"""What the template, the contracts and the workflow say that a cost follows from."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from tests.kit.stack_template import ROOT, read_template

Document = dict[str, Any]
LIMITS: Document = json.loads((ROOT / "contracts/limits.json").read_text())
# Per request, as API Gateway writes the template's format with values of usual length.
_ACCESS_VALUES = {
    "requestId": 16,
    "requestTime": 26,
    "routeKey": 20,
    "status": 3,
    "responseLatency": 2,
    "integrationErrorMessage": 1,
}
LOG_EVENT_BYTES = 26  # what CloudWatch Logs adds to each event, Amazon CloudWatch Logs: PutLogEvents


@cache
def template() -> Document:
    """Return template.yaml."""
    return read_template()


def image_megabytes() -> int:
    """Return how large the agent's image is as deploy.md's commands push it, from docs/images.md."""
    page = (ROOT / "docs/images.md").read_text()
    (_gzip, zstd), *_proxy = re.findall(r"\*\*(\d+)\*\* \| \*\*(\d+)\*\*", page.partition("| all |")[2])
    return int(zstd)


def parameter(name: str) -> Any:  # noqa: ANN401 - of the parameter's own type
    """Return a parameter's default."""
    return template()["Parameters"][name]["Default"]


def count(kind: str, *, condition: str | None = None) -> int:
    """Return how many resources of a kind there are, without those of other conditions."""
    found = [one for one in template()["Resources"].values() if one["Type"] == kind]
    return len([one for one in found if one.get("Condition") in {None, condition}])


def function_gb() -> float:
    """Return the memory of a function, in GB."""
    return float(template()["Globals"]["Function"]["MemorySize"]) / 1024


def access_log_bytes() -> int:
    """Return what API Gateway logs of one request."""
    text = template()["Resources"]["HttpApi"]["Properties"]["AccessLogSettings"]["Format"]
    for name, length in _ACCESS_VALUES.items():
        assert f"$context.{name}" in text, f"the access log has no {name} any more"
        text = text.replace(f"$context.{name}", "x" * length)
    assert "$context" not in text, "the access log has something new"
    return len(text) + LOG_EVENT_BYTES


def minutes_between(function: str) -> int:
    """Return how often a function's schedule runs it."""
    events = template()["Resources"][function]["Properties"]["Events"].values()
    (schedule,) = [event["Properties"]["Schedule"] for event in events if event["Type"] == "Schedule"]
    return int(schedule.removeprefix("rate(").split()[0])


def metrics() -> int:
    """Return how many of the system's own metrics the dashboard and the alarms know."""
    text = str(template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"])
    return len(set(re.findall(r'"ClaudeCloudAgent", "(\w+)"', text)))


def task(name: str) -> tuple[float, float]:
    """Return vCPU and GB of a task."""
    properties = template()["Resources"][name]["Properties"]
    return int(properties["Cpu"]) / 1024, int(properties["Memory"]) / 1024


def transitions(last: str) -> int:
    """Return how many states a session enters that meets no obstacle, up to this one."""
    definition = json.loads((ROOT / "statemachine/session.asl.json").read_text())
    smooth = {"Slot Taken?": "Run Agent", "Task Running?": "Close Session", "Ended Well?": "Session Ended"}
    name, entered = definition["StartAt"], 1
    # The task is found and stopped, then found gone.
    extra = 3 if last == "Session Ended" else 0
    while name != last:
        name = smooth.get(name) or definition["States"][name]["Next"]
        entered += 1
    return entered + extra
