"""The load balancer, its listeners and their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.functions.doctor.account import (
    DOMAIN,
    HTTP_LISTENER,
    HTTPS_LISTENER,
    LOAD_BALANCER,
    OTHER_LISTENER,
    OTHER_LOAD_BALANCER,
    OTHER_TARGET_GROUP,
    RULE,
    TARGET_GROUP,
    WILDCARD,
    Account,
    forward,
    host_rule,
)

from cloud_agent_doctor.checks import listener, listener_rule, load_balancer, target_group
from cloud_agent_doctor.engine.findings import Finding, Status

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.check import Check


def only(account: Account, check: Check) -> Finding:
    (finding,) = account.outcome(check).findings
    return finding


# ---------------------------------------------------------------------- load-balancer


def test_a_deleted_load_balancer_is_one_finding_that_speaks_of_all_that_went_with_it(account: Account) -> None:
    account.delete_load_balancer()
    finding = only(account, load_balancer.CHECK)
    assert finding.resource == LOAD_BALANCER
    assert "Nothing has replaced it" in finding.problem
    assert {"ApplicationLoadBalancer", "HttpListener", "HttpsListener", "UatListenerRule"} == set(finding.logical_ids)


def test_the_one_that_dns_leads_to_instead_is_named(account: Account) -> None:
    account.delete_load_balancer()
    account.lead_dns_elsewhere()
    finding = only(account, load_balancer.CHECK)
    assert f"The DNS record points to shop ({OTHER_LOAD_BALANCER})" in finding.problem
    assert "To use shop" in finding.remediation


def test_the_one_that_the_record_names_is_found_without_looking_names_up(account: Account) -> None:
    account.delete_load_balancer()
    account.lead_dns_elsewhere()
    account.addresses.clear()
    assert "points to shop" in only(account, load_balancer.CHECK).problem


def test_the_one_that_a_name_managed_elsewhere_leads_to_is_found_by_its_addresses(account: Account) -> None:
    account.delete_load_balancer()
    account.lead_dns_elsewhere()
    account.parameters["HostedZoneId"] = ""
    assert "points to shop" in only(account, load_balancer.CHECK).problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"State": {"Code": "failed", "Reason": "x"}}, "is in state failed"),
        ({"Scheme": "internal"}, "is internal, not internet-facing"),
        ({"VpcId": "vpc-other"}, "is in vpc-other"),
        ({"Type": "network"}, "is of type network"),
    ],
)
def test_a_load_balancer_that_takes_no_visitors_is_a_finding(
    account: Account, change: dict[str, object], words: str
) -> None:
    account.load_balancers[LOAD_BALANCER] |= change
    assert words in only(account, load_balancer.CHECK).problem


def test_a_shared_load_balancer_may_be_internal(account: Account) -> None:
    account.use_existing()
    account.load_balancers[OTHER_LOAD_BALANCER]["Scheme"] = "internal"
    assert Status.HEALTHY is account.outcome(load_balancer.CHECK).status


def test_a_shared_load_balancer_that_is_gone_is_a_finding(account: Account) -> None:
    account.use_existing()
    del account.load_balancers[OTHER_LOAD_BALANCER]
    finding = only(account, load_balancer.CHECK)
    assert OTHER_LISTENER in finding.problem
    assert finding.resource == OTHER_LOAD_BALANCER


# ---------------------------------------------------------------------- listener


@pytest.mark.parametrize(
    ("name", "words"), [(HTTPS_LISTENER, "has no HTTPS listener on port 443"), (HTTP_LISTENER, "doesn't redirect")]
)
def test_a_missing_listener_is_a_finding(account: Account, name: str, words: str) -> None:
    del account.listeners[name]
    finding = only(account, listener.CHECK)
    assert words in finding.problem
    assert "its listeners: HTTP" in finding.problem


def test_https_on_another_port_is_no_listener_for_visitors(account: Account) -> None:
    account.listeners[HTTPS_LISTENER]["Port"] = 8443
    assert "HTTPS 8443" in only(account, listener.CHECK).problem


def test_port_80_that_does_not_redirect_is_a_finding(account: Account) -> None:
    account.listeners[HTTP_LISTENER]["DefaultActions"] = forward(TARGET_GROUP)
    assert only(account, listener.CHECK).logical_ids == ("HttpListener",)


def test_a_redirect_that_does_not_lead_to_https_is_a_finding(account: Account) -> None:
    account.listeners[HTTP_LISTENER]["DefaultActions"][0]["RedirectConfig"]["Protocol"] = "HTTP"
    assert only(account, listener.CHECK).logical_ids == ("HttpListener",)


def test_a_shared_load_balancer_need_not_redirect_but_must_have_the_given_listener(account: Account) -> None:
    account.use_existing()
    assert Status.HEALTHY is account.outcome(listener.CHECK).status
    account.listeners[f"{OTHER_LISTENER}0"] = account.listeners.pop(OTHER_LISTENER) | {
        "ListenerArn": f"{OTHER_LISTENER}0"
    }
    finding = only(account, listener.CHECK)
    assert f"The listener {OTHER_LISTENER} (parameter ListenerArn) doesn't exist" in finding.problem


def test_a_given_listener_that_is_not_for_https_is_a_finding(account: Account) -> None:
    account.use_existing()
    account.listeners[OTHER_LISTENER] |= {"Protocol": "HTTP", "Port": 80}
    assert "isn't for HTTPS on port 443" in only(account, listener.CHECK).problem


def test_without_a_load_balancer_listeners_and_rules_are_not_judged(account: Account) -> None:
    account.delete_load_balancer()
    for check in (listener.CHECK, listener_rule.CHECK):
        assert Status.NOT_APPLICABLE is account.outcome(check).status


# ---------------------------------------------------------------------- listener-rule


def test_a_missing_rule_is_a_finding_with_what_takes_the_requests_instead(account: Account) -> None:
    del account.rules[HTTPS_LISTENER][0]
    finding = only(account, listener_rule.CHECK)
    assert "match the default rule, which returns a fixed 404" in finding.problem
    assert TARGET_GROUP in finding.problem


@pytest.mark.parametrize("host", ["*", f"*.{DOMAIN}", WILDCARD])
def test_an_earlier_rule_that_takes_all_is_a_finding(account: Account, host: str) -> None:
    account.rules[HTTPS_LISTENER].append(host_rule("arn:early", "3", host, forward(OTHER_TARGET_GROUP)))
    finding = only(account, listener_rule.CHECK)
    assert finding.resource == "arn:early"
    assert "the rule of priority 3, which forwards to shop; it comes before the rule of priority 10" in finding.problem
    assert "ListenerRulePriority smaller than 3" in finding.remediation


def test_an_earlier_rule_that_takes_a_part_is_a_finding_of_that_part(account: Account) -> None:
    account.rules[HTTPS_LISTENER].append(
        host_rule("arn:admin", "3", WILDCARD, forward(OTHER_TARGET_GROUP), path="/admin*")
    )
    finding = only(account, listener_rule.CHECK)
    assert f"matches those with the hosts {WILDCARD} and path-pattern /admin*" in finding.problem


def test_a_later_rule_takes_nothing(account: Account) -> None:
    account.rules[HTTPS_LISTENER].append(host_rule("arn:late", "30", "*", forward(OTHER_TARGET_GROUP)))
    assert Status.HEALTHY is account.outcome(listener_rule.CHECK).status


def test_a_rule_that_narrows_itself_is_not_the_rule(account: Account) -> None:
    account.rules[HTTPS_LISTENER][0] = host_rule(RULE, "10", WILDCARD, forward(TARGET_GROUP), path="/app*")
    assert "the default rule" in only(account, listener_rule.CHECK).problem


@pytest.mark.parametrize(
    ("weights", "words"), [((0,), "forwards to cloud-agent-proxy with weight 0"), ((1, 1), "only some of the requests")]
)
def test_a_rule_by_which_not_all_come_to_the_proxy_is_a_finding(
    account: Account, weights: tuple[int, ...], words: str
) -> None:
    groups = [
        {"TargetGroupArn": arn, "Weight": weight}
        for arn, weight in zip((TARGET_GROUP, OTHER_TARGET_GROUP), weights, strict=False)
    ]
    account.rules[HTTPS_LISTENER][0]["Actions"] = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    assert words in only(account, listener_rule.CHECK).problem


def test_on_the_load_balancer_that_dns_leads_to_the_rule_is_to_be_adopted(account: Account) -> None:
    account.delete_load_balancer()
    account.lead_dns_elsewhere()
    finding = only(account, listener_rule.CHECK)
    assert "On shop," in finding.problem
    assert f"LoadBalancer=existing and ListenerArn={OTHER_LISTENER}" in finding.remediation


# ---------------------------------------------------------------------- target-group


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Port", 3001),
        ("Protocol", "HTTPS"),
        ("TargetType", "instance"),
        ("VpcId", "vpc-other"),
        ("HealthCheckPath", "/"),
        ("HealthCheckPort", "80"),
        ("HealthCheckEnabled", False),
        ("Matcher", {"HttpCode": "200-499"}),
    ],
)
def test_a_target_group_that_is_another_than_the_templates_is_a_finding(
    account: Account, name: str, value: object
) -> None:
    account.target_groups[TARGET_GROUP][name] = value
    finding = only(account, target_group.CHECK)
    assert f"{name} is {value}, not " in finding.problem
    assert finding.logical_ids == ("ProxyTargetGroup",)


def test_a_deleted_target_group_is_a_finding(account: Account) -> None:
    del account.target_groups[TARGET_GROUP]
    assert f"The target group {TARGET_GROUP} doesn't exist." == only(account, target_group.CHECK).problem


def test_a_target_group_of_another_load_balancer_is_a_finding(account: Account) -> None:
    account.target_groups[TARGET_GROUP]["LoadBalancerArns"] = [OTHER_LOAD_BALANCER]
    assert f"is used by {OTHER_LOAD_BALANCER}, not by" in only(account, target_group.CHECK).problem
