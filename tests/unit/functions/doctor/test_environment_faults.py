"""An environment beside what the code reads of it."""

from __future__ import annotations

from cloud_agent_doctor.containers.environment_faults import environment_faults

READS = frozenset({"SESSIONS_TABLE", "GITHUB_URL", "GITHUB_API_URL", "GITHUB_SECRET_ARN"})
GIVEN = {
    "SESSIONS_TABLE": "sessions",
    "GITHUB_URL": "https://github.com",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_SECRET_ARN": "arn:aws:secretsmanager:x",
}


def words(given: dict[str, str], secrets: frozenset[str] = frozenset(), **expected: str) -> list[str]:
    return [fault.text for fault in environment_faults(READS, given, expected, secrets)]


def without(name: str, **more: str) -> dict[str, str]:
    return {key: value for key, value in GIVEN.items() if key != name} | more


def test_what_is_given_as_it_is_read_has_no_fault() -> None:
    assert words(GIVEN, SESSIONS_TABLE="sessions") == []


def test_a_misspelt_name_is_reported_with_the_one_that_was_meant_and_only_once() -> None:
    (fault,) = environment_faults(READS, without("SESSIONS_TABLE", SESSION_TABLE="sessions"), {})
    assert fault.text == "SESSION_TABLE: did you mean SESSIONS_TABLE? Nothing reads SESSION_TABLE"
    assert fault.stops


def test_a_missing_name_is_reported() -> None:
    (fault,) = environment_faults(READS, without("GITHUB_URL"), {})
    assert fault.text == "GITHUB_URL is missing"
    assert fault.stops


def test_a_name_that_nothing_reads_is_no_misspelling_of_one_that_is_there() -> None:
    (fault,) = environment_faults(READS, GIVEN | {"SESSION_TABLE": "sessions"}, {})
    assert fault.text == "nothing reads SESSION_TABLE"
    assert not fault.stops


def test_two_misspellings_do_not_claim_the_same_name() -> None:
    given = without("SESSIONS_TABLE", SESSION_TABLE="a", SESSIONS_TABLES="b")
    assert sorted(words(given)) == [
        "SESSIONS_TABLES: did you mean SESSIONS_TABLE? Nothing reads SESSIONS_TABLES",
        "nothing reads SESSION_TABLE",
    ]


def test_another_value_than_the_stacks_is_reported_with_both() -> None:
    assert words(GIVEN, SESSIONS_TABLE="acme-sessions") == ["SESSIONS_TABLE is 'sessions', not 'acme-sessions'"]


def test_the_value_of_what_nothing_reads_is_never_shown() -> None:
    assert not [one for one in words(GIVEN | {"PASSWORD": "hunter2"}) if "hunter2" in one]


def test_a_secret_in_place_of_its_arn_is_not_shown() -> None:
    given = GIVEN | {"GITHUB_SECRET_ARN": "ghp_a-personal-token"}
    assert words(given, GITHUB_SECRET_ARN="arn:of-the-secret") == [
        "GITHUB_SECRET_ARN is not an ARN, not 'arn:of-the-secret'"
    ]


def test_a_secret_in_the_open_is_reported_without_its_value() -> None:
    (fault,) = words(GIVEN | {"GITHUB_SECRET_ARN": ""}, frozenset({"GITHUB_SECRET_ARN"}))
    assert fault == "GITHUB_SECRET_ARN is in plain text, not a secret"
