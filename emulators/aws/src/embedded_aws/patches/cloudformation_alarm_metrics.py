"""Defect: an alarm on a metric math expression (`Metrics`) is refused, and with it the stack.

AWS documents that an alarm has either MetricName and what belongs to it or Metrics. Here such an alarm is stored and
described as declared; nothing evaluates it, so that it stays INSUFFICIENT_DATA.

Source: SDK model "cloudwatch": PutMetricAlarmInput.MetricName and PutMetricAlarmInput.Metrics.
Upstream: not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]

_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")


def apply() -> None:
    """Take such an alarm."""
    wrap(provisioners, "_cw_metric_alarm_record", _record)


def _record(original: Callable[[str, Json], Json], name: str, props: Json) -> Json:
    if not props.get("Metrics"):
        return original(name, props)
    stand_in = {key: value for key, value in props.items() if key != "Metrics"}
    record = original(name, stand_in | {"MetricName": "-", "Namespace": "-"})
    metrics = [_typed(query) for query in props["Metrics"]]
    return {key: value for key, value in record.items() if key not in _OF_ONE_METRIC} | {"Metrics": metrics}


def _typed(query: Json) -> Json:
    """Booleans and numbers, which CloudFormation may be given as text."""
    typed = dict(query)
    if "ReturnData" in query:
        typed["ReturnData"] = str(query["ReturnData"]).lower() == "true"
    if "MetricStat" in query:
        typed["MetricStat"] = query["MetricStat"] | {"Period": int(query["MetricStat"]["Period"])}
    return typed
