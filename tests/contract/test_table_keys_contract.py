"""The table's keys: state machine, template, proxy, local mode and docs spell them as keys.py does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cloud_agent.adapters.table import keys
from cloud_agent.domain.session.canary import CANARY_ID
from cloud_agent_cli.adopt.resources import SESSIONS_INDEX
from cloud_agent_proxy.sessions_table import _BY_START as PROXY_INDEX  # the proxy's spelling, which nobody else needs
from cloud_agent_proxy.sessions_table import _key as proxy_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Document = dict[str, Any]

SESSION, REPOSITORY, ISSUE, PULL, BRANCH = "09e22a8b", 712345, 42, 261, "claude/42"
MEMBERS = {"session_id": SESSION, "repository_id": str(REPOSITORY), "issue_number": str(ISSUE), "branch": BRANCH}
ROWS = [
    keys.session_key(SESSION),
    keys.prompt_key(SESSION, "<ulid>"),
    keys.turn_result_key(SESSION, "<ulid>"),
    keys.cancelled_key(SESSION),
    keys.commands_key(SESSION),
    keys.published_key(SESSION),
    keys.transcript_key(SESSION),
    keys.lock_key(REPOSITORY, ISSUE),
    keys.last_key(REPOSITORY, ISSUE),
    keys.explained_key(REPOSITORY, "…", "what"),
    keys.branch_key(REPOSITORY, BRANCH),
    keys.commit_key(REPOSITORY, "<sha>"),
    keys.pull_key(REPOSITORY, PULL),
    keys.token_key(REPOSITORY, "…"),
    keys.LAST_REPORT_KEY,
    keys.session_key(CANARY_ID),
    keys.SLOTS_KEY,
]
KINDS = sorted({keys.kind_and_name(row["pk"])[0] for row in ROWS})


def test_the_state_machine_touches_these_rows_and_no_others(definition: Document) -> None:
    expected = [keys.session_key(SESSION), keys.lock_key(REPOSITORY, ISSUE), keys.branch_key(REPOSITORY, BRANCH)]
    expected += [keys.SLOTS_KEY, keys.cancelled_key(SESSION)]
    assert _sorted(_asl_keys(definition)) == _sorted(expected)


def test_the_proxy_reads_the_session_by_its_key() -> None:
    assert proxy_key(SESSION) == keys.session_key(SESSION)


def test_sessions_are_listed_by_the_one_index_of_the_table(template: Document) -> None:
    (index,) = template["Resources"]["SessionsTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert {index["IndexName"]} == {PROXY_INDEX, SESSIONS_INDEX}
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["sk", "created_at"]


def test_the_stream_is_filtered_by_the_kinds_that_are_published(template: Document) -> None:
    source = template["Resources"]["PublisherFunction"]["Properties"]["Events"]["Changes"]["Properties"]
    (rule,) = source["FilterCriteria"]["Filters"]
    kinds = json.loads(rule["Pattern"])["dynamodb"]["Keys"]["sk"]["S"]
    prefixes = [{"prefix": f"{kind}#"} for kind in (keys.TURN_RESULT, keys.PROMPT)]
    assert kinds == [keys.SESSION, keys.SLOTS_KEY["sk"], keys.COMMANDS, *prefixes]


def test_permissions_by_key_name_rows_that_there_are(template: Document) -> None:
    leading = {key for keys_ in _members(template, "dynamodb:LeadingKeys") for key in keys_}
    canary, doctor = keys.session_key(CANARY_ID)["pk"], keys.LAST_REPORT_KEY["pk"]
    assert leading == {canary, doctor, keys.session_key("*")["pk"]}


def test_the_architecture_lists_every_row(root: Path) -> None:
    text = (root / "docs/architecture.md").read_text()
    listed = re.findall(r"^\| `([A-Z]+[^`]*)` \| `?([^|`]+)`? \|", text, re.MULTILINE)
    assert sorted(listed) == sorted((row["pk"], row["sk"]) for row in ROWS)


def test_no_other_module_of_the_functions_spells_a_key(root: Path) -> None:
    spelled = re.compile(rf"[\"'](?:{'|'.join(KINDS)})#|[\"']sk[\"']: ")
    sources = [path for path in (root / "functions").rglob("*.py") if path.name != "keys.py"]
    assert [str(path) for path in sources if spelled.search(path.read_text())] == []


def _asl_keys(node: object) -> Iterator[dict[str, str]]:
    """Every key in the definition, for one session."""
    if isinstance(node, dict):
        if {"pk", "sk"} <= node.keys():
            yield {name: _value(node[name]["S"]) for name in ("pk", "sk")}
        for member in node.values():
            yield from _asl_keys(member)
    elif isinstance(node, list):
        for member in node:
            yield from _asl_keys(member)


def _value(expression: str) -> str:
    """What a JSONata expression of strings, joined by `&`, comes to."""
    if not expression.startswith("{%"):
        return expression
    parts = re.sub(r"\$string\((.+?)\)", r"\1", expression.strip("{% }")).split(" & ")
    return "".join(part[1:-1] if part.startswith("'") else MEMBERS[part.rpartition(".")[2]] for part in parts)


def _members(node: object, name: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, member in node.items():
            if key == name:
                yield member
            yield from _members(member, name)
    elif isinstance(node, list):
        for member in node:
            yield from _members(member, name)


def _sorted(rows: Iterator[dict[str, str]] | list[dict[str, str]]) -> list[tuple[str, str]]:
    return sorted({(row["pk"], row["sk"]) for row in rows})
