"""Commands stand alone on a line, outside of quotes and code; everything else is for Claude."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_agent.domain.conversation.commands import Command, read_commands


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("form", ["{}", "  {}\t", "{}\r\n", "\n\n{}\n"])
def test_a_command_alone_on_a_line_is_one(command: Command, form: str) -> None:
    assert read_commands(form.format(command)) == (frozenset({command}), "")


def test_case_does_not_matter() -> None:
    assert read_commands("/StOp")[0] == {Command.STOP}


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
    assert read_commands(body) == (frozenset(), body)


@pytest.mark.parametrize(
    "body", ["```\ncode\n```\n/stop", "```a`b\n/stop", "~~~\ncode\n~~~~\n/stop", "    ```\n/stop", "> ```\n/stop"]
)
def test_a_command_after_code_is_one(body: str) -> None:
    assert read_commands(body)[0] == {Command.STOP}


def test_the_rest_is_a_prompt_in_the_order_it_was_written() -> None:
    commands, rest = read_commands("First this.\r\n/interrupt\r\n\r\n> quoted\r\n/status\r\nThen that 😀.\r\n")
    assert commands == {Command.INTERRUPT, Command.STATUS}
    assert rest == "First this.\n\n> quoted\nThen that 😀."


@pytest.mark.parametrize("body", ["", " \r\n\t\n", "/help\n  \n"])
def test_blanks_are_no_prompt(body: str) -> None:
    assert read_commands(body)[1] == ""


def test_a_comment_of_the_greatest_length_is_read() -> None:
    assert read_commands("/stop\n" + "x" * 65_530)[1] == "x" * 65_530
    assert read_commands("/stop\n" * 10_922)[0] == {Command.STOP}


@given(st.text(alphabet="/stop`~> \n\r😀", max_size=80))
def test_no_line_is_lost_or_added(body: str) -> None:
    commands, rest = read_commands(body)
    kept = [line.strip() for line in rest.splitlines() if line.strip()]
    lines = [line.strip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    assert kept == [line for line in lines if line in kept]
    assert {line.lower() for line in lines} - {line.lower() for line in kept} <= set(map(str, commands))
