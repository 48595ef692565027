"""What a stack costs in a month without a session."""

from __future__ import annotations

from tests.costs.prices import HOURS_A_MONTH, Usage, plus, times
from tests.costs.sessions import function
from tests.costs.stack import count, metrics, minutes_between, parameter, task

RECONCILED_MS, EXAMINED_MS = 500, 60_000  # the doctor waits for CloudFormation to detect drift
# Amazon ECS Container Insights metrics: so many for a cluster, a service, and a family of tasks.
INSIGHTS = 8 + 11 + 9
INSIGHTS_LOG_BYTES = 1_500  # a minute, for each task and for service and cluster

Row = tuple[str, Usage]


def load_balancer() -> list[Row]:
    """Return what LoadBalancer=own adds to what an existing load balancer costs anyway."""
    hours = float(HOURS_A_MONTH)
    return [
        ("load balancer", {"load_balancer": hours}),
        ("its two public addresses", {"address": 2 * hours}),
    ]


def both_modes() -> list[Row]:
    """Return what there is with a load balancer of either kind."""
    hours = float(HOURS_A_MONTH)
    proxies = parameter("ProxyDesiredCount")
    vcpu, gb = task("ProxyTaskDefinition")
    minutes = hours * 60
    insights_events = minutes * (proxies + 2)
    return [
        (f"{proxies} proxy tasks", {"vcpu": proxies * vcpu * hours, "gb": proxies * gb * hours}),
        (f"{count('AWS::CloudWatch::Alarm')} alarms", {"alarm": count("AWS::CloudWatch::Alarm") * hours}),
        (f"{metrics()} metrics of its own", {"metric": metrics() * hours}),
        (
            "Container Insights",
            {"metric": INSIGHTS * hours, "log": insights_events * INSIGHTS_LOG_BYTES},
        ),
        (f"{count('AWS::CloudWatch::Dashboard')} dashboard", {"dashboard": hours}),
        (f"{count('AWS::KMS::Key')} KMS key", {"key": count("AWS::KMS::Key") * hours}),
        (
            f"{count('AWS::SecretsManager::Secret')} secrets",
            {"secret": count("AWS::SecretsManager::Secret") * hours},
        ),
        ("reconciler", times(minutes / minutes_between("ReconcilerFunction"), function(RECONCILED_MS, reads=4))),
        ("doctor", times(minutes / minutes_between("DoctorFunction"), function(EXAMINED_MS, reads=2, writes=2))),
        ("metrics lines of the proxies", {"log": proxies * minutes * 700}),
    ]


def outside() -> list[Row]:
    """Return what the tasks' way to the internet costs, which is the VPC's and not the stack's."""
    hours = float(HOURS_A_MONTH)
    proxies = parameter("ProxyDesiredCount")
    return [
        ("a NAT gateway and its address, without traffic", {"nat": hours, "address": hours}),
        (f"or, with AssignPublicIp=ENABLED, {proxies} addresses of the proxy tasks", {"address": proxies * hours}),
    ]


def total(rows: list[Row]) -> Usage:
    """Return all rows together."""
    return plus(*(usage for _, usage in rows))
