"""Alarms and dashboard: each metric exists, each alarm reaches people, and the runbook says what to do."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    Document = dict[str, Any]
    Metric = tuple[str, str, tuple[str, ...]]

OURS = "ClaudeCloudAgent"
# Name and dimensions as AWS documents them, for what alarms and dashboard show:
# elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
# AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
# step-functions/latest/dg/procedure-cw-metrics.html
# lambda/latest/dg/monitoring-metrics-types.html
# apigateway/latest/developerguide/http-api-metrics.html
# AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
AWS: dict[str, tuple[set[str], set[str]]] = {
    "AWS/ApplicationELB": (
        {"HealthyHostCount", "HTTPCode_Target_5XX_Count", "RequestCount", "TargetResponseTime"},
        {"TargetGroup", "LoadBalancer"},
    ),
    "ECS/ContainerInsights": ({"DesiredTaskCount", "RunningTaskCount"}, {"ClusterName", "ServiceName"}),
    "AWS/States": (
        {"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"},
        {"StateMachineArn"},
    ),
    "AWS/Lambda": ({"Duration", "Errors", "Invocations", "Throttles"}, {"FunctionName"}),
    "AWS/ApiGateway": ({"Count", "4xx", "5xx"}, {"ApiId"}),
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible"}, {"QueueName"}),
}
MISSING_DATA = {"breaching", "notBreaching", "ignore"}  # "missing" would leave an alarm without a word


@pytest.fixture(scope="module")
def alarms(resources: Document) -> dict[str, Document]:
    return {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::CloudWatch::Alarm"}


@pytest.fixture(scope="module")
def runbook(root: Path) -> str:
    return (root / "docs/runbook.md").read_text()


@pytest.fixture(scope="module")
def widgets(resources: Document) -> list[Document]:
    """The dashboard's widgets, each reference in place of what CloudFormation makes of it."""
    body, _ = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return list(json.loads(body.replace("${MaxDailyCostUsd}", "100"))["widgets"])


def _metrics_of(alarm: Document) -> list[Metric]:
    if "Metrics" not in alarm:
        return [_metric(alarm)]
    return [_metric(query["MetricStat"]["Metric"]) for query in alarm["Metrics"] if "MetricStat" in query]


def _metric(properties: Document) -> Metric:
    dimensions = [dimension["Name"] for dimension in properties.get("Dimensions", [])]
    return properties["Namespace"], properties["MetricName"], tuple(dimensions)


@cache
def _emitted(folder: Path) -> set[str]:
    """Every string of the code that could name a metric: the names are constants, and told one way or another."""
    trees = (ast.parse(path.read_text()) for path in folder.rglob("*.py"))
    texts = {
        n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }
    return {text for text in texts if re.fullmatch(r"([A-Z][a-z]+)+", text)}


def _exists(metric: Metric, root: Path, resources: Document) -> bool:
    namespace, name, dimensions = metric
    if namespace != OURS:
        names, of = AWS[namespace]
        return name in names and of == set(dimensions)
    if dimensions == ("service",):
        return name in _emitted(root / "functions")
    if dimensions == ("Service",):
        return name in _emitted(root / "proxy/src")
    filters = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Logs::MetricFilter"]
    made = {one["MetricName"] for made in filters for one in made["MetricTransformations"]}
    return dimensions == () and name in made


def test_every_alarm_notifies_when_it_fires_and_when_it_clears(alarms: dict[str, Document]) -> None:
    assert len(alarms) >= 18
    for name, alarm in alarms.items():
        assert name.endswith("Alarm")
        topic = [{"Ref": "AlertsTopic"}]
        assert (topic, topic) == (alarm["AlarmActions"], alarm["OKActions"]), name


def test_every_alarm_says_what_it_means_and_leads_to_its_section_of_the_runbook(
    alarms: dict[str, Document], runbook: str
) -> None:
    part = runbook.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    sections = {title.lower().replace(" ", "-"): title for title in re.findall(r"^### (.+)$", part, re.MULTILINE)}
    for name, alarm in alarms.items():
        anchor = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        text, _, link = alarm["AlarmDescription"].rpartition(" ")
        assert f"docs/runbook.md#{anchor}" == link
        assert anchor in sections
        assert 40 < len(text) <= 1000
        assert text.endswith(".")
    assert {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower() for name in alarms} == set(sections), "a section of no alarm"


def test_every_section_of_an_alarm_has_impact_diagnosis_remediation_and_when_it_clears(runbook: str) -> None:
    part = runbook.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    for section in part.split("\n### ")[1:]:
        for heading in ("**Impact.**", "**Diagnosis.**", "**Remediation.**", "**Clears**"):
            assert heading in section, section.partition("\n")[0]


def test_the_runbooks_commands_are_sound_shell_and_name_outputs_and_resources_that_exist(
    runbook: str, template: Document, resources: Document
) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", runbook, re.MULTILINE | re.DOTALL)
    commands = blocks + re.findall(r"`((?:log|aws) [^`]+)`", runbook)
    assert len(commands) > 20
    for command in (re.sub(r"<[a-z ]+>", "PLACEHOLDER", command) for command in commands):
        checked = subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True, check=False)
        assert checked.stderr == "", command
    assert set(re.findall(r"\$\(output (\w+)\)", runbook)) <= set(template["Outputs"])
    named = {name for name in re.findall(r"\$\(resource (\S+)\)", runbook) if "$" not in name}
    assert {"PublisherDeadLetterQueue", "PublisherFunction"} == named
    assert named <= set(resources)


def test_every_alarm_says_what_silence_means(alarms: dict[str, Document]) -> None:
    assert {name: alarm for name, alarm in alarms.items() if alarm.get("TreatMissingData") not in MISSING_DATA} == {}
    silence = {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}
    assert {"ProxyUnhealthyAlarm", "ProxyTasksMissingAlarm", "DoctorSilentAlarm"} <= silence


def test_every_alarms_metric_exists_with_its_dimensions(
    alarms: dict[str, Document], root: Path, resources: Document
) -> None:
    watched = {(name, metric) for name, alarm in alarms.items() for metric in _metrics_of(alarm)}
    assert set() == {(name, metric) for name, metric in watched if not _exists(metric, root, resources)}


def test_an_expression_names_the_metrics_beside_it_and_alone_returns_data(alarms: dict[str, Document]) -> None:
    for alarm in alarms.values():
        queries = alarm.get("Metrics", [])
        if not queries:
            continue
        (expression,) = [query for query in queries if "Expression" in query]
        used = set(re.findall(r"\b[a-z][a-zA-Z0-9_]*\b", expression["Expression"]))
        assert used == {query["Id"] for query in queries if query is not expression}
        assert [expression] == [query for query in queries if query.get("ReturnData", True)]


def test_an_alarms_window_is_one_that_cloudwatch_takes(alarms: dict[str, Document]) -> None:
    for name, alarm in alarms.items():
        stats = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        periods = {stat["Period"] for stat in stats} or {alarm["Period"]}
        (period,) = periods  # math over several periods would compare unlike things
        assert period % 60 == 0
        assert period * alarm["EvaluationPeriods"] <= (7 * 86400 if period >= 3600 else 86400), name


def test_the_load_balancers_name_is_read_from_its_listener_which_both_modes_have(
    alarms: dict[str, Document], resources: Document
) -> None:
    (value,) = [d["Value"] for d in alarms["ProxyUnhealthyAlarm"]["Dimensions"] if d["Name"] == "LoadBalancer"]
    separator, parts = value["Fn::Join"]
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/"

    def resolve(part: Document) -> str:
        index, split = part["Fn::Select"]
        by, source = split["Fn::Split"]
        assert resources["UatListenerRule"]["Properties"]["ListenerArn"] == source
        return f"{arn}app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2".split(by)[int(index)]

    assert separator.join(map(resolve, parts)) == "app/shared/50dc6c495c0c9188"


def test_the_agent_apis_errors_are_read_from_fields_that_the_access_log_has(
    resources: Document, template: Document
) -> None:
    pattern = resources["AgentApiErrorsFilter"]["Properties"]["FilterPattern"]
    line = json.loads(template["Resources"]["HttpApi"]["Properties"]["AccessLogSettings"]["Format"])
    assert {"route", "status"} == set(re.findall(r"\$\.(\w+)", pattern)) & set(line)
    assert line["route"] == "$context.routeKey"
    route = template["Resources"]["AgentApiFunction"]["Properties"]["Events"]["Agent"]["Properties"]
    (wanted,) = re.findall(r'\$\.route = "([^"]+)"', pattern)
    assert f"{route['Method']} {route['Path']}".startswith(wanted.removesuffix("*"))


def test_alarms_reach_the_topic_and_nobody_else_does(resources: Document) -> None:
    (statement,) = resources["AlertsTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert "aws:SourceArn" in statement["Condition"]["ArnLike"]
    assert resources["AlertsTopic"]["Properties"]["KmsMasterKeyId"] == {"Ref": "AlertsKey"}
    statements = resources["AlertsKey"]["Properties"]["KeyPolicy"]["Statement"]
    actions = [s["Action"] for s in statements if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert actions == [["kms:Decrypt", "kms:GenerateDataKey*"]]


def test_the_dashboard_shows_every_alarm_that_is_always_there(
    widgets: list[Document], resources: Document, alarms: dict[str, Document]
) -> None:
    (shown,) = [widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm"]
    always = {name for name in alarms if "Condition" not in resources[name]}
    assert {f"${{{name}.Arn}}" for name in always} == set(shown)


def test_no_widget_of_the_dashboard_is_dead(widgets: list[Document], root: Path, resources: Document) -> None:
    found: list[Metric] = []
    for widget in widgets:
        for namespace, name, *rest in widget["properties"].get("metrics", []):
            labels = [part for part in rest if isinstance(part, str)]
            found.append((namespace, name, tuple(labels[::2])))
            values = labels[1::2]
            if namespace == OURS:
                assert values in ([], ["claude-cloud-agent"], ["uat-proxy"])
            else:
                assert all(re.fullmatch(r"\$\{[A-Za-z.]+\}", value) for value in values)
    assert len(found) > 30
    assert [metric for metric in found if not _exists(metric, root, resources)] == []


def test_the_dashboard_tells_the_story_from_the_label_to_the_doctor_and_nothing_overlaps(
    widgets: list[Document],
) -> None:
    texts = [widget["properties"]["markdown"] for widget in widgets if widget["type"] == "text"]
    order = ["webhook", "workflow", "Agents", "proxy", "Visitors", "cost", "doctor"]
    assert len(order) == len(texts)
    assert all(word in text for word, text in zip(order, texts, strict=True))
    taken: set[tuple[int, int]] = set()
    for widget in widgets:
        x, y = range(widget["x"], widget["x"] + widget["width"]), range(widget["y"], widget["y"] + widget["height"])
        cells = {(column, row) for column in x for row in y}
        assert set() == cells & taken
        assert max(x) < 24
        taken |= cells
