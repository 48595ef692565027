from __future__ import annotations

from typing import Any

import pytest

from cloud_agent_cli.adopt.import_template import import_template, resources_to_import
from cloud_agent_cli.adopt.plan import ANY, decide
from cloud_agent_cli.adopt.resources import CLUSTER, KINDS, SESSIONS_TABLE, TARGET_GROUP, Found
from cloud_agent_cli.errors import AdoptionError

KEYS = SESSIONS_TABLE.fixed["KeySchema"]
TABLE = Found(SESSIONS_TABLE, "sessions", "its tags", {"KeySchema": KEYS, "BillingMode": "PAY_PER_REQUEST"})
OTHER_TABLE = Found(SESSIONS_TABLE, "sessions-old", "its name", {"KeySchema": KEYS})
AGENTS = Found(CLUSTER, "agents", "named", {"ClusterSettings": []})
THEIRS = Found(CLUSTER, "agents", "named", {"ClusterSettings": []}, owner="predecessor")


def test_what_is_found_and_free_is_adopted_and_what_is_not_found_is_said_to_be() -> None:
    decisions = decide([TABLE], set(), {})
    assert [(d.kind.logical_id, d.adopted) for d in decisions if d.adopted] == [("SessionsTable", TABLE)]
    assert set(KINDS) - {"SessionsTable"} == {d.kind.logical_id for d in decisions if d.words == "not found"}


def test_only_what_is_wanted_is_adopted() -> None:
    (decision,) = decide([TABLE, AGENTS], set(), {"Cluster": ANY})
    assert decision.adopted == AGENTS


def test_two_that_could_be_meant_are_named_and_neither_is_adopted() -> None:
    with pytest.raises(AdoptionError) as refused:
        decide([TABLE, OTHER_TABLE], set(), {})
    assert "SessionsTable=sessions  (its tags)" in str(refused.value)
    assert "SessionsTable=sessions-old  (its name)" in str(refused.value)


def test_a_name_says_which_of_two_is_meant() -> None:
    (decision,) = decide([TABLE, OTHER_TABLE], set(), {"SessionsTable": "sessions-old"})
    assert decision.adopted == OTHER_TABLE


def test_what_the_stack_has_is_left_out_and_refused_when_named() -> None:
    assert "the stack has one already" in [d.words for d in decide([TABLE, AGENTS], {"Cluster"}, {})]
    with pytest.raises(AdoptionError, match="Cluster cannot be adopted: the stack has one already"):
        decide([TABLE, AGENTS], {"Cluster"}, {"Cluster": ANY})


def test_what_another_stack_has_is_left_to_it_and_refused_when_named() -> None:
    assert "agents belongs to the stack predecessor" in [d.words for d in decide([TABLE, THEIRS], set(), {})]
    with pytest.raises(AdoptionError, match="agents belongs to the stack predecessor"):
        decide([TABLE, THEIRS], set(), {"Cluster": "agents"})


def test_another_stacks_resource_is_no_second_candidate() -> None:
    theirs = Found(SESSIONS_TABLE, "theirs", "its name", {"KeySchema": KEYS}, owner="predecessor")
    assert TABLE in [d.adopted for d in decide([theirs, TABLE], set(), {})]


def test_what_the_next_deployment_would_replace_is_not_adopted() -> None:
    properties = TARGET_GROUP.fixed | {"Port": 3001, "TargetType": "instance"}
    group = Found(TARGET_GROUP, "arn:other", "named", properties)
    words = next(d.words for d in decide([TABLE, group], set(), {}) if d.kind is TARGET_GROUP)
    assert "arn:other: its Port is 3001, the template needs 8080" in words
    assert "its TargetType is instance, the template needs ip" in words
    with pytest.raises(AdoptionError, match="its Port is 3001"):
        decide([TABLE, group], set(), {"ProxyTargetGroup": "arn:other"})


def test_a_request_that_nothing_fulfils_is_an_error() -> None:
    with pytest.raises(AdoptionError, match="SessionsTable cannot be adopted: not found: sesions"):
        decide([TABLE], set(), {"SessionsTable": "sesions"})
    with pytest.raises(AdoptionError, match="UatRecord: only SessionsTable, Cluster"):
        decide([TABLE], set(), {"UatRecord": ANY})
    with pytest.raises(AdoptionError, match="There is nothing to adopt"):
        decide([], set(), {})


def test_a_new_stack_consists_of_what_is_adopted_each_retained() -> None:
    template = import_template(None, [TABLE, AGENTS])
    assert {"SessionsTable", "Cluster"} == set(template["Resources"])
    table = template["Resources"]["SessionsTable"]
    assert (
        table["Type"],
        table["DeletionPolicy"],
        table["UpdateReplacePolicy"],
    ) == ("AWS::DynamoDB::Table", "Retain", "Retain")
    assert TABLE.properties == table["Properties"]
    assert not {"Outputs", "Parameters", "Transform"} & set(template)


def test_a_stack_that_there_is_stays_as_it_is() -> None:
    current: dict[str, Any] = {
        "Parameters": {"VpcId": {"Type": "String"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
    }
    template = import_template(current, [AGENTS])
    cluster = template["Resources"].pop("Cluster")
    assert current == template
    assert cluster["Type"] == "AWS::ECS::Cluster"
    assert {"Topic"} == set(current["Resources"]), "what was given is not changed"


def test_each_resource_is_identified_as_cloudformation_documents() -> None:
    group = Found(TARGET_GROUP, "arn:group", "named", {})
    assert resources_to_import([TABLE, group]) == [
        {
            "ResourceType": "AWS::DynamoDB::Table",
            "LogicalResourceId": "SessionsTable",
            "ResourceIdentifier": {"TableName": "sessions"},
        },
        {
            "ResourceType": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "LogicalResourceId": "ProxyTargetGroup",
            "ResourceIdentifier": {"TargetGroupArn": "arn:group"},
        },
    ]


def test_an_import_says_of_a_resource_only_what_the_template_says() -> None:
    group = Found(TARGET_GROUP, "arn:group", "named", TARGET_GROUP.fixed | {"HealthCheckPath": "/"})
    assert group.stated == {"HealthCheckPath": "/", "Port": 8080, "Protocol": "HTTP", "TargetType": "ip"}
