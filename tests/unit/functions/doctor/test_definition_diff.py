"""A deployed workflow beside the repository's."""

from __future__ import annotations

import json

import pytest

from cloud_agent_doctor.stack.definition_diff import differences

REPOSITORY = {
    "StartAt": "Read",
    "States": {
        "Read": {"Type": "Task", "Arguments": {"TableName": "${Table}"}, "TimeoutSeconds": 30, "Next": "Write"},
        "Write": {
            "Type": "Task",
            "Arguments": {"TableName": "${Table}", "Note": "{% $number('${Age}') + ${Age} %}"},
            "Catch": [{"ErrorEquals": ["States.ALL"]}],
        },
    },
}


def words(deployed: object, **known: str) -> list[str]:
    return [one.text for one in differences(json.dumps(REPOSITORY), json.dumps(deployed), known)]


def deployed(text: str = "", other: str = "") -> dict[str, object]:
    """The definition as it is deployed, once a text of it is replaced by another."""
    substituted = json.dumps(REPOSITORY).replace("${Table}", "sessions").replace("${Age}", "60")
    assert text in substituted
    return dict(json.loads(substituted.replace(text, other, 1)))


def test_substitutions_stand_for_any_text() -> None:
    assert words(deployed()) == []


def test_a_substitution_that_is_known_stands_for_that_text_alone() -> None:
    assert words(deployed(), Table="sessions") == []
    assert words(deployed(), Table="others") == [
        "state \"Read\", Arguments.TableName is 'sessions', not 'others'",
        "state \"Write\", Arguments.TableName is 'sessions', not 'others'",
    ]


def test_a_substitution_stands_for_the_same_text_everywhere() -> None:
    (one,) = words(deployed('"TableName": "sessions", "Note"', '"TableName": "others", "Note"'))
    assert one == "state \"Write\", Arguments.TableName is 'others', not 'sessions'"


def test_a_substitution_stands_for_the_same_text_within_one_field() -> None:
    (one,) = words(deployed("+ 60", "+ 61"))
    assert one.startswith('state "Write", Arguments.Note is ')


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        ('"TimeoutSeconds": 30', '"TimeoutSeconds": 300', 'state "Read", TimeoutSeconds is 300, not 30'),
        ('"TimeoutSeconds": 30', '"TimeoutSeconds": "30"', "state \"Read\", TimeoutSeconds is '30', not 30"),
        ('"TimeoutSeconds": 30, ', "", 'state "Read", TimeoutSeconds is absent, not 30'),
        ('"TimeoutSeconds": 30', '"TimeoutSeconds": 30, "End": true', 'state "Read", End is true, not absent'),
        ('"States.ALL"', '"States.Timeout"', "state \"Write\", Catch[0].ErrorEquals[0] is 'States.Timeout', not "),
        ('["States.ALL"]', "[]", 'state "Write", Catch[0].ErrorEquals is [], not ["States.ALL"]'),
        ('"StartAt": "Read"', '"StartAt": "Write"', "StartAt is 'Write', not 'Read'"),
    ],
)
def test_a_difference_is_named_by_state_and_field(text: str, other: str, expected: str) -> None:
    (one,) = words(deployed(text, other))
    assert one.startswith(expected)


def test_a_state_that_is_missing_and_one_too_many_are_each_one_difference() -> None:
    document = deployed()
    states = document["States"]
    assert isinstance(states, dict)
    states["Other"] = states.pop("Write")
    missing, added = words(document)
    assert missing.startswith('state "Write" is absent, not {')
    assert added.startswith('state "Other" is {')
    assert added.endswith("not absent")


def test_long_values_are_cut() -> None:
    (one,) = words(deployed('"Read"', json.dumps("x" * 1000)))
    assert len(one) < 200


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        differences("{}", "no JSON", {})
