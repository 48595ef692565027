"""Is an account ready for the stack? Each thing that is missing is found by its own check, and nothing else is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dns.resolver
import pytest
from tests.kit.stack_template import read_template
from tests.unit.cli.first_run.ready_account import CERTIFICATE, NAME_SERVERS, REGISTRY, ReadyAccount
from tests.unit.functions.doctor.account import DOMAIN, STACK

from cloud_agent_cli import doctor, first_run
from cloud_agent_cli.first_run import hosted_zone
from cloud_agent_cli.first_run.deployment import DEFAULTS
from cloud_agent_cli.first_run.hosted_zone import name_servers
from cloud_agent_cli.targets import Target
from cloud_agent_doctor.engine.errors import DataUnavailableError
from cloud_agent_doctor.engine.findings import Report, Status

if TYPE_CHECKING:
    from collections.abc import Callable

BEDROCK = {"ModelProvider": "bedrock", "ClaudeModel": "eu.anthropic.claude"}
WEBHOOK = {"WebhookDomainName": f"hooks.{DOMAIN}", "WebhookCertificateArn": CERTIFICATE}
NOTE = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": "StartedBy is not supported"}


def broken(report: Report) -> dict[str, list[str]]:
    return {outcome.check: [one.problem for one in outcome.findings] for outcome in report.broken}


def statuses(report: Report) -> dict[str, Status]:
    return {outcome.check: outcome.status for outcome in report.outcomes}


def test_an_account_that_is_ready_passes_before_the_stack_is_there(account: ReadyAccount) -> None:
    report = account.first_run()
    assert report.exit_code == 0
    assert statuses(report) == {check.name: Status.HEALTHY for check in first_run.CHECKS} | {
        "model-access": Status.NOT_APPLICABLE,
        "workflow-role": Status.NOT_APPLICABLE,
    }


def test_it_passes_with_bedrock_and_a_name_for_the_webhook_once_it_is_deployed(account: ReadyAccount) -> None:
    account.deploy()
    account.certificate["SubjectAlternativeNames"] = [f"*.{DOMAIN}"]
    report = account.first_run(**BEDROCK, **WEBHOOK)
    assert statuses(report) == {check.name: Status.HEALTHY for check in first_run.CHECKS}


FAULTS: list[tuple[str, Callable[[ReadyAccount], Any] | None, dict[str, str], str, str]] = [
    ("no service-linked role", lambda a: a.roles.clear(), {}, "service-linked-role", "no role AWSServiceRoleForECS"),
    ("no zone", lambda a: a.zone.update(Id="ZOTHER"), {}, "hosted-zone", "no such hosted zone"),
    ("private zone", lambda a: a.zone.update(Config={"PrivateZone": True}), {}, "hosted-zone", "is private"),
    ("other zone", lambda a: a.zone.update(Name="ample.com."), {}, "hosted-zone", "is ample.com, and not example.com"),
    ("no certificate", None, {"CertificateArn": f"{CERTIFICATE}0"}, "acm-certificates", "no such certificate"),
    ("pending", lambda a: a.certificate.update(Status="PENDING_VALIDATION"), {}, "acm-certificates", "PENDING_VALID"),
    ("other name", lambda a: a.certificate.update(DomainName=f"*.{DOMAIN}"), {}, "acm-certificates", "is for *.exam"),
    (
        "other region",
        None,
        {"CertificateArn": CERTIFICATE.replace("eu-central-1", "us-east-1")},
        "acm-certificates",
        "is in us-east-1, and the stack in eu-central-1",
    ),
    ("uat itself", None, {"IndexAtUatDomain": "true"}, "acm-certificates", f"{DOMAIN}, and not for uat.{DOMAIN}."),
    ("webhook's name", None, WEBHOOK, "acm-certificates", f"and not for hooks.{DOMAIN}"),
    ("no image", lambda a: a.repositories.discard("proxy"), {}, "ecr-images", "proxy:1 of ProxyImageUri isn't in ECR"),
    ("no staging", None, {"StagingAgentImageUri": f"{REGISTRY}/next"}, "ecr-images", "next:latest of StagingAgent"),
    ("no egress proxy", None, {"EgressProxyImageUri": f"{REGISTRY}/egress:1"}, "ecr-images", "egress:1 of EgressProxy"),
    ("few vCPUs", lambda a: setattr(a, "vcpus", 20), {}, "fargate-quota", "is 20; 10 agents of 2048 CPU units"),
    ("AWS's default", lambda a: setattr(a, "vcpus", None), {}, "fargate-quota", "is 6; "),
    ("10 executions", lambda a: setattr(a, "concurrency", 10), {}, "lambda-quota", "may run 10 functions at once"),
    ("reserved", None, {"ReservedConcurrency": "451"}, "lambda-quota", "ReservedConcurrency=451 takes 902"),
    ("no access", lambda a: setattr(a, "model_access", "NOT_AVAILABLE"), BEDROCK, "model-access", "agreement NOT_AV"),
    ("no model", None, {"ModelProvider": "bedrock"}, "model-access", "no model or inference profile claude-sonnet"),
    ("other's model", None, BEDROCK | {"ModelProvider": "anthropic"}, "model-access", "is a model of Bedrock's"),
    ("port 80", None, {"AgentEgress": "internet", "AnthropicBaseUrl": "http://llm.test"}, "addresses", "has port 80"),
    ("definition", lambda a: a.diagnostics.append(NOTE), {}, "workflow-definition", "StartedBy is not supported"),
]


@pytest.mark.parametrize(
    ("change", "given", "check", "problem"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_each_fault_is_found_by_its_own_check(
    account: ReadyAccount,
    change: Callable[[ReadyAccount], Any] | None,
    given: dict[str, str],
    check: str,
    problem: str,
) -> None:
    if change is not None:
        change(account)
    report = account.first_run(**given)
    assert report.exit_code == 1
    assert list(broken(report)) == [check]
    assert problem in broken(report)[check][0]


def test_a_gateway_may_have_any_address_and_any_names_for_models(account: ReadyAccount) -> None:
    gateway = {"AnthropicBaseUrl": "http://gateway.example.com", "ClaudeModel": BEDROCK["ClaudeModel"]}
    assert broken(account.first_run(**gateway)) == {}
    assert list(broken(account.first_run(**gateway, AgentEgress="listed"))) == ["addresses"]


def test_all_that_an_agent_and_the_proxy_take_counts(account: ReadyAccount) -> None:
    """100 agents of 4 vCPU; 4 proxies, the canary and 2 egress proxies of a quarter each."""
    given = {"MaxSessions": "100", "AgentCpu": "4096", "ProxyDesiredCount": "4", "Canary": "enabled"}
    given |= {"AgentEgress": "listed"}
    account.vcpus = 401
    assert "take 401.75." in broken(account.first_run(**given))["fargate-quota"][0]
    account.vcpus = 402
    assert broken(account.first_run(**given)) == {}


def test_what_is_reserved_already_is_not_reserved_again(account: ReadyAccount) -> None:
    account.concurrency = 150
    assert list(broken(account.first_run(ReservedConcurrency="50"))) == ["lambda-quota"]
    account.deploy()
    assert broken(account.first_run(ReservedConcurrency="50")) == {}


def test_a_zone_that_the_internet_does_not_ask_is_found(account: ReadyAccount, zones: dict[str, list[str]]) -> None:
    zones[DOMAIN] = ["ns.registrar.example"]
    (problem,) = broken(account.first_run())["hosted-zone"]
    assert problem == f"The hosted zone {DOMAIN} isn't delegated to: the internet asks ns.registrar.example."


@pytest.mark.parametrize("action", ["ecs:RunTask", "ecs:TagResource", "iam:PassRole"])
def test_what_iam_denies_the_workflow_is_found(account: ReadyAccount, action: str) -> None:
    account.deploy()
    account.decisions[action] = {"EvalDecision": "implicitDeny"}
    problems = broken(account.first_run())["workflow-role"]
    assert all(problem.startswith(f"IAM denies {action} on arn:aws:") for problem in problems)
    assert len(problems) == (2 if action == "iam:PassRole" else 1)


def test_a_boundary_that_denies_it_is_named(account: ReadyAccount) -> None:
    account.deploy()
    account.decisions["ecs:TagResource"] = {
        "EvalDecision": "implicitDeny",
        "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False},
    }
    (problem,) = broken(account.first_run())["workflow-role"]
    assert "by the role's permissions boundary" in problem


@pytest.mark.parametrize(
    "action",
    [
        "route53:GetHostedZone",
        "acm:DescribeCertificate",
        "ecr:DescribeImages",
        "servicequotas:GetServiceQuota",
        "lambda:GetAccountSettings",
        "states:ValidateStateMachineDefinition",
    ],
)
def test_what_the_operator_may_not_read_is_unknown_and_named(account: ReadyAccount, action: str) -> None:
    account.denied = {action, action.replace("states", "sfn")}
    report = account.first_run()
    assert report.exit_code == 2
    (outcome,) = report.unknown
    assert outcome.reason == f"not allowed: {action}"


def test_what_no_parameter_says_is_not_looked_at_and_says_how(account: ReadyAccount) -> None:
    report = account.first_run(CertificateArn="", AgentImageUri="", HostedZoneId="")
    reasons = {outcome.check: outcome.reason for outcome in report.outcomes if outcome.reason}
    assert reasons["acm-certificates"].startswith("CertificateArn isn't known: give it with --parameter")
    assert reasons["ecr-images"].startswith("AgentImageUri isn't known")
    assert "point *.uat.example.com at the load balancer yourself" in reasons["hosted-zone"]


def test_a_deployed_stack_says_its_parameters_and_options_go_before_them(account: ReadyAccount) -> None:
    account.deploy()
    account.parameters["MaxSessions"] = "60"
    assert "60 agents" in broken(account.first_run())["fargate-quota"][0]
    assert broken(account.first_run(MaxSessions="5")) == {}


def test_the_definition_that_is_asked_about_has_no_substitution_left(account: ReadyAccount) -> None:
    account.first_run()
    (definition,) = account.definitions
    assert json.loads(definition)["States"]
    assert "${" not in definition


def test_the_defaults_are_the_templates() -> None:
    parameters = read_template()["Parameters"]
    assert {name: str(parameters[name]["Default"]) for name in DEFAULTS} == DEFAULTS


def test_the_report_is_printed_as_the_doctors_with_a_guide(
    account: ReadyAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.roles.clear()
    assert doctor.run_first(Target(STACK, "in eu-central-1", account.client), {}, as_json=False) == 1
    out = capsys.readouterr().out
    assert f"Checking the account 123456789012 in eu-central-1; the stack {STACK} isn't deployed yet" in out
    assert "1 problem found; first broken hop: service-linked-role" in out
    assert "docs/doctor.md#before-the-first-deployment" in out
    assert doctor.run_first(Target(STACK, "in eu-central-1", account.client), {}, as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["first_broken"] == "service-linked-role"


@pytest.mark.usefixtures("zones")
def test_the_name_servers_are_those_of_dns() -> None:
    assert name_servers(DOMAIN) == set(NAME_SERVERS)
    assert name_servers("example.org") == set()


def test_a_resolver_that_does_not_answer_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = dns.resolver.Resolver(configure=False)
    silent.nameservers, silent.port = ["127.0.0.1"], 9
    monkeypatch.setattr(dns.resolver, "default_resolver", silent)
    monkeypatch.setattr(hosted_zone, "_TIMEOUT_SECONDS", 0.1)
    with pytest.raises(DataUnavailableError, match=f"the name servers of {DOMAIN} can't be looked up"):
        name_servers(DOMAIN)
