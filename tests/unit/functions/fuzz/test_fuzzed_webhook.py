"""The webhook gets deliveries that GitHub would never send: signed with the secret, and what it knows made odd.

Each is answered for what it is: accepted, ignored or refused, and never by an error of ours. `make fuzz` tries more.
"""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.kit.fuzzing import FUZZED
from tests.kit.http_api import http_api_event
from tests.kit.memory import peak_bytes

from cloud_agent.webhook import events
from cloud_agent.webhook.handler import handler
from cloud_agent.webhook.signature import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.conftest import Context
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Deliver = Callable[..., tuple[int, dict[str, Any]]]

SECRET = "It's a Secret to Everybody"
ANSWERED = {200, 202, 400}
ANSWER_LIMIT = 10_000

FOLDER = Path(__file__).parents[4] / "events" / "github"
SAMPLES = {
    name: json.loads((FOLDER / f"{name}.json").read_text())
    for name in (
        "issue_comment.created",
        "issues.closed",
        "issues.labeled",
        "issues.unlabeled",
        "pull_request.closed",
        "pull_request.edited",
        "pull_request_review.submitted",
        "pull_request_review_comment.created",
    )
}
READ = {
    name
    for model in vars(events).values()
    if isinstance(model, type) and issubclass(model, events.Event)
    for name in model.model_fields
} | {"action"}


def _places(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - any JSON
    """The members of a payload that are read, as far as names say."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name in READ:
                yield (*place, name)
                yield from _places(member, (*place, name))


# As JSON has them: a surrogate without its other half too, numbers that are none, and integers of any length.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=60),
    st.text("/.?#%@:\\ <>&`*_|~-[]()!\r\n\t\0\ud800aé😀", max_size=60),
    st.sampled_from(
        ["", "..", "/", "a" * 70_000, "/stop\n/interrupt", "[bot]", "\ud800", "claude-dev", "open", "main", "acme/a"]
    ),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, -1, 2**63, 10**40, 10**400, 1e-300]))
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
HEADERS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80)
OF_ITS_TYPE = {str: TEXTS, int: st.integers(1) | NUMBERS, bool: st.booleans()}


def _changed(draw: st.DrawFn, value: object) -> object:
    """Something of the same type more often than something else."""
    strategy = OF_ITS_TYPE.get(type(value), JSON) if draw(st.integers(0, 3)) else JSON
    return draw(strategy)


# 300 kB each, of what takes most of the memory for its length.
MANY_PARTS = [
    b"[" * 300_000,
    b'{"action": [' + b"[]," * 100_000 + b"1]}",
    b'{"action": [' + b"{}," * 100_000 + b"1]}",
    b"{" + b",".join(b'"%d":1' % number for number in range(30_000)) + b"}",
    b'{"action": "' + "\u00e9".encode() * 150_000 + b'"}',
]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """One of GitHub's events, of which up to three members that are read are missing or anything at all."""
    name = draw(st.sampled_from(sorted(SAMPLES)))
    payload = copy.deepcopy(SAMPLES[name])
    for *path, member in draw(st.lists(st.sampled_from(sorted(_places(payload))), max_size=3, unique=True)):
        holder = payload
        for step in path:
            holder = holder.get(step, {}) if isinstance(holder, dict) else {}
        if not isinstance(holder, dict):
            continue
        if draw(st.integers(0, 9)):
            holder[member] = _changed(draw, holder.get(member))
        else:
            holder.pop(member, None)
    return name.partition(".")[0], payload


def _changed_in(name: str, place: str, value: object) -> tuple[str, dict[str, Any]]:
    """A sample's event with one member changed."""
    payload = copy.deepcopy(SAMPLES[name])
    *path, member = place.split(".")
    functools.reduce(dict.__getitem__, path, payload)[member] = value
    return name.partition(".")[0], payload


@pytest.fixture
def deliver(  # noqa: PLR0913, PLR0917 - everything that the function meets
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    table: Table,
    idempotency_table: Table,
    put_session: Callable[..., None],
    context: Context,
) -> Deliver:
    """Send bytes with these headers, before the sample's issue has a session or while it runs; returns the answer."""

    def send(body: bytes, *, running: bool = True, **headers: str) -> tuple[int, dict[str, Any]]:
        for one in (table, idempotency_table):
            _empty(one)
        if running:
            put_session()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        step_functions.executions.clear()
        answer = handler(http_api_event("POST", "https://api/webhook", names, body), context)
        assert len(answer["body"]) < ANSWER_LIMIT
        return int(answer["statusCode"]), json.loads(answer["body"])

    return send


def _empty(table: Table) -> None:
    with table.batch_writer() as writer:
        for row in table.scan(ConsistentRead=True)["Items"]:
            writer.delete_item(Key={key["AttributeName"]: row[key["AttributeName"]] for key in table.key_schema})


@FUZZED
@given(deliveries(), HEADERS.filter(bool), st.booleans())
@example(_changed_in("issue_comment.created", "comment.id", 10**40 + 7), "1", True)
@example(_changed_in("issue_comment.created", "sender.login", "a" * 70_000), "1", True)
@example(_changed_in("issue_comment.created", "sender.login", ["octo-dev"]), "1", True)
@example(_changed_in("issue_comment.created", "action", {"a" * 70_000: 1}), "1", True)
@example(_changed_in("issues.labeled", "action", "a" * 70_000), "1", False)
@example(_changed_in("issues.labeled", "issue.number", 10**40 + 7), "1", False)
@example(_changed_in("issues.labeled", "installation.id", 10**400), "1", False)
@example(_changed_in("issues.labeled", "sender.login", "\ud800"), "1", False)
@example(_changed_in("pull_request_review_comment.created", "comment.line", 10**4_000), "1", True)
def test_whatever_github_sends_is_answered(
    deliver: Deliver,
    event: tuple[str, dict[str, Any]],
    delivery: str,
    running: bool,  # noqa: FBT001 - Hypothesis passes by name
) -> None:
    body = json.dumps(event[1]).encode()
    headers = {"x_github_event": event[0], "x_github_delivery": delivery, "x_hub_signature_256": sign(SECRET, body)}
    status, answer = deliver(body, running=running, **headers)
    assert status in ANSWERED, answer


@FUZZED
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()), HEADERS, HEADERS)
@example(b"[" * 100_000, "issues", "1")
@example(b'{"action": ' + b"9" * 5_000 + b"}", "issues", "1")
@example(b'{"action": NaN}', "issues", "1")
def test_any_bytes_that_are_signed_are_answered(deliver: Deliver, body: bytes, event: str, delivery: str) -> None:
    status, answer = deliver(
        body, x_github_event=event, x_github_delivery=delivery, x_hub_signature_256=sign(SECRET, body)
    )
    assert status in ANSWERED, answer


@FUZZED
@given(st.binary(), HEADERS | HEADERS.map("sha256={}".format))
def test_nothing_is_done_for_what_is_not_signed(
    deliver: Deliver, step_functions: StepFunctions, body: bytes, signature: str
) -> None:
    status, _ = deliver(body, x_github_event="issues", x_github_delivery="1", x_hub_signature_256=signature)
    assert status == 401
    assert step_functions.executions == {}


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("body", MANY_PARTS, ids=["deep", "lists", "objects", "names", "text"])
def test_a_body_takes_memory_by_its_length_alone(deliver: Deliver, body: bytes, *, is_signed: bool) -> None:
    headers = {"x_hub_signature_256": sign(SECRET if is_signed else "another", body)}

    def send() -> None:
        status, answer = deliver(body, x_github_event="issues", x_github_delivery="1", **headers)
        assert status in ANSWERED | {401}, answer

    send()  # once before: what is imported or cached at the first request isn't the body's
    assert peak_bytes(send) < 60 * len(body)
