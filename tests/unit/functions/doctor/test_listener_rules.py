from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_agent_doctor.load_balancer.listener_rules import Reach, Rule, read_rule, route

HOST = "*.uat.example.com"
PROXY, SHOP = "arn:tg/proxy/1", "arn:tg/shop/2"
DEFAULT = Rule("default", None, weights={SHOP: 1}, action="forwards to shop")


def rule(priority: int, *hosts: str, to: str = PROXY, narrowed_by: tuple[str, ...] = ()) -> Rule:
    return Rule(f"rule-{priority}", priority, hosts, narrowed_by=narrowed_by, weights={to: 1})


def document(*conditions: dict[str, Any], actions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"RuleArn": "arn", "Priority": "5", "Conditions": list(conditions), "Actions": actions or []}


def test_rules_are_asked_by_their_priority_and_the_default_last() -> None:
    way = route([DEFAULT, rule(20, HOST, to=SHOP), rule(10, HOST)], HOST, PROXY)
    assert way.matched_by.arn == "rule-10"
    assert way.partial == ()


@pytest.mark.parametrize("host", ["*", "*.example.com", HOST, "*uat*"])
def test_an_earlier_rule_that_takes_every_request_is_the_one(host: str) -> None:
    way = route([rule(1, host, to=SHOP), rule(10, HOST), DEFAULT], HOST, PROXY)
    assert way.matched_by.arn == "rule-1"
    assert [one.arn for one in way.later] == ["rule-10"]


def test_an_earlier_rule_for_other_hosts_takes_nothing() -> None:
    way = route([rule(1, "*.shop.example.com", to=SHOP), rule(10, HOST), DEFAULT], HOST, PROXY)
    assert (way.matched_by.arn, way.partial) == ("rule-10", ())


def test_an_earlier_rule_for_a_part_takes_that_part() -> None:
    admin = rule(1, "*", to=SHOP, narrowed_by=("path-pattern /admin*",))
    name = rule(2, "status.uat.example.com", to=SHOP)
    way = route([admin, name, rule(10, HOST), DEFAULT], HOST, PROXY)
    assert ("rule-10", (admin, name)) == (way.matched_by.arn, way.partial)


def test_a_part_that_comes_to_the_proxy_anyway_is_none() -> None:
    way = route([rule(1, "*", narrowed_by=("path-pattern /x",)), rule(10, HOST), DEFAULT], HOST, PROXY)
    assert way.partial == ()


def test_without_a_rule_the_default_takes_them() -> None:
    assert route([DEFAULT], HOST, PROXY).matched_by.arn == "default"


@given(st.permutations([rule(n, host) for n, host in enumerate(["*.a.com", HOST, "*", "b.uat.example.com"], 1)]))
def test_the_order_in_which_rules_are_listed_does_not_matter(rules: list[Rule]) -> None:
    assert route([DEFAULT, *rules], HOST, PROXY).matched_by.arn == "rule-2"


def test_a_weight_of_zero_leads_nowhere_and_a_shared_forward_not_only_there() -> None:
    def forward(**weights: int) -> Rule:
        groups = [{"TargetGroupArn": f"arn:tg/{name}/1", "Weight": weight} for name, weight in weights.items()]
        return read_rule(document(actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]))

    assert not forward(proxy=0).forwards_to(PROXY)
    assert not forward(proxy=1, shop=1).forwards_only_to(PROXY)
    assert forward(proxy=1, shop=1).forwards_to(PROXY)
    assert forward(proxy=1, shop=0).forwards_only_to(PROXY)
    assert forward(proxy=1, shop=3).action == "forwards to proxy (weight 1) and shop (weight 3)"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], Reach.ALL),
        ([{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}], Reach.ALL),
        ([{"Field": "path-pattern", "Values": ["*"]}], Reach.ALL),
        ([{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b*"]}}], Reach.SOME),
        ([{"Field": "source-ip", "SourceIpConfig": {"Values": ["0.0.0.0/0"]}}], Reach.ALL),
        ([{"Field": "source-ip", "SourceIpConfig": {"Values": ["203.0.113.0/24"]}}], Reach.SOME),
        ([{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}], Reach.SOME),
        ([{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}}], Reach.SOME),
        ([{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.UAT.Example.com"]}}], Reach.ALL),
        ([{"Field": "host-header", "Values": ["shop.example.com", "*.example.com"]}], Reach.ALL),
        ([{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^[a-f0-9]+\\.uat\\."]}}], Reach.SOME),
        ([{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^shop\\."]}}], Reach.NONE),
        ([{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["(?>shop"]}}], Reach.SOME),
    ],
)
def test_how_many_requests_the_conditions_of_a_rule_let_it_take(
    conditions: list[dict[str, Any]], expected: Reach
) -> None:
    assert expected is read_rule(document(*conditions)).reach(HOST)
