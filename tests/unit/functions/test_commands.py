"""Commands stand alone on a line, outside of quotes and code; everything else is for Claude."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_agent.domain.conversation.commands import Command, Reading, nearest, read_commands


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("form", ["{}", "  {}\t", "{}\r\n", "\n\n{}\n"])
def test_a_command_alone_on_a_line_is_one(command: Command, form: str) -> None:
    assert read_commands(form.format(command)) == Reading(frozenset({command}), "")


@pytest.mark.parametrize(
    ("body", "model", "text"),
    [
        ("/model claude-opus-5-5", "claude-opus-5-5", ""),
        ("Try again.\n/Model  Opus   high ", "Opus   high", "Try again."),
        ("/model a\n/model b", "b", ""),
        ("/model", "", ""),
    ],
)
def test_a_model_is_named_behind_its_command(body: str, model: str, text: str) -> None:
    assert read_commands(body) == Reading(frozenset({Command.MODEL}), text, model=model)


@pytest.mark.parametrize(
    "body", ["/model is what the page shows", "/models x y", "> /model x", "`/model x`", "see /model x"]
)
def test_prose_about_models_is_no_command(body: str) -> None:
    assert read_commands(f"{body}\nand more").commands == frozenset()


def test_case_does_not_matter() -> None:
    assert read_commands("/StOp").commands == {Command.STOP}


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
        "To end a session people write\n\n    /stop\n\nbut not now, please.",
        "1. write this\n\n    ```\n    /stop\n    ```\n\n2. then wait",
        "<!-- so\n/stop\n-->\ntext",
        "<pre>\n/stop\n</pre>\ntext",
        "> quoted\n/stop",
        "`a\n/stop\nb` text",
        "/src/main.py",
        "/Users",
        "/",
        "/stop/",
        "//stop",
        "stop",
    ],
)
def test_what_only_looks_like_a_command_is_plain_text(body: str) -> None:
    assert read_commands(f"{body}\nand more") == Reading(frozenset(), f"{body}\nand more")


@pytest.mark.parametrize(
    "body", ["```\ncode\n```\n/stop", "```a`b\n/stop", "~~~\ncode\n~~~~\n/stop", "    ```\n/stop", "> ```\n/stop"]
)
def test_a_command_after_code_is_one(body: str) -> None:
    assert read_commands(body).commands == {Command.STOP}


def test_the_rest_is_a_prompt_in_the_order_it_was_written() -> None:
    reading = read_commands("First this.\r\n/interrupt\r\n\r\n> quoted\r\n\r\n/status\r\nThen that 😀.\r\n")
    assert reading.commands == {Command.INTERRUPT, Command.STATUS}
    assert reading.text == "First this.\n\n> quoted\n\nThen that 😀."


@pytest.mark.parametrize("body", ["", " \r\n\t\n", "/help\n  \n"])
def test_blanks_are_no_prompt(body: str) -> None:
    assert read_commands(body).text == ""


def test_a_comment_of_the_greatest_length_is_read() -> None:
    assert read_commands("/stop\n" + "x" * 65_530).text == "x" * 65_530
    assert read_commands("/stop\n" * 10_922).commands == {Command.STOP}


@given(st.text(alphabet="/stop`~> \n\r😀", max_size=80))
def test_no_line_is_lost_or_added(body: str) -> None:
    reading = read_commands(body)
    kept = [line.strip() for line in reading.text.splitlines() if line.strip()]
    lines = [line.strip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    assert kept == [line for line in lines if line in kept]
    assert {line.lower() for line in lines} - {line.lower() for line in kept} <= set(map(str, reading.commands)) | set(
        reading.unknown
    )


@pytest.mark.parametrize(
    ("body", "unknown", "meant"),
    [
        ("/stoop", "/stoop", Command.STOP),
        ("\n /Rerun \n", "/rerun", None),
        ("/helps\n/stop", "/helps", Command.HELP),
    ],
)
def test_a_word_that_is_no_command_is_known_as_that_where_nothing_else_is_asked(
    body: str, unknown: str, meant: Command | None
) -> None:
    reading = read_commands(body)
    assert (reading.text, reading.unknown, nearest(unknown)) == ("", (unknown,), meant)
    assert read_commands(f"{body}\nPlease.").unknown == ()
