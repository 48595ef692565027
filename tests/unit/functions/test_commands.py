"""Commands stand alone on a line, outside of quotes and code; everything else is for Claude."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_agent.domain.conversation.commands import Command, Orders, read_orders


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("form", ["{}", "  {}\t", "{}\r\n", "\n\n{}\n"])
def test_a_command_alone_on_a_line_is_one(command: Command, form: str) -> None:
    assert Orders(frozenset({command}), "") == read_orders(form.format(command))


def test_case_does_not_matter() -> None:
    assert {Command.STOP} == read_orders("/StOp").commands


@pytest.mark.parametrize(
    "body",
    [
        "please /stop",
        "/stop now",
        "> /stop",
        ">/stop",
        "`/stop`",
        "```\n/stop\n```",
        "~~~sh\n/stop\n~~~",
        "````\n```\n/stop\n````",
        "```\n/stop",
        "``` \n/stop\n~~~\n/stop\n```",
        "```a\n``` b\n/stop\n```",
        "/deploy",
        "/",
        "/stop/",
        "//stop",
        "stop",
    ],
)
def test_what_only_looks_like_a_command_is_plain_text(body: str) -> None:
    assert Orders(frozenset(), body) == read_orders(body)


@pytest.mark.parametrize(
    "body", ["```\ncode\n```\n/stop", "```a`b\n/stop", "~~~\ncode\n~~~~\n/stop", "    ```\n/stop", "> ```\n/stop"]
)
def test_a_command_after_code_is_one(body: str) -> None:
    assert {Command.STOP} == read_orders(body).commands


def test_the_rest_is_a_wish_in_the_order_it_was_written() -> None:
    orders = read_orders("First this.\r\n/interrupt\r\n\r\n> quoted\r\n/status\r\nThen that 😀.\r\n")
    assert {Command.INTERRUPT, Command.STATUS} == orders.commands
    assert orders.rest == "First this.\n\n> quoted\nThen that 😀."


@pytest.mark.parametrize("body", ["", " \r\n\t\n", "/help\n  \n"])
def test_blanks_are_no_wish(body: str) -> None:
    assert read_orders(body).rest == ""


def test_a_comment_of_the_greatest_length_is_read() -> None:
    assert read_orders("/stop\n" + "x" * 65_530).rest == "x" * 65_530
    assert {Command.STOP} == read_orders("/stop\n" * 10_922).commands


@given(st.text(alphabet="/stop`~> \n\r😀", max_size=80))
def test_no_line_is_lost_or_added(body: str) -> None:
    orders = read_orders(body)
    kept = [line.strip() for line in orders.rest.splitlines() if line.strip()]
    lines = [line.strip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    assert kept == [line for line in lines if line in kept]
    assert {line.lower() for line in lines} - {line.lower() for line in kept} <= set(map(str, orders.commands))
