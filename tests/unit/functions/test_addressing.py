"""What Claude takes up: requests and questions, whoever they are to; not thanks, nor talk among people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud_agent.domain.conversation.addressing import Listener

PEOPLE = {"zoe", "kim-k"}


def _listener() -> Listener:
    return Listener(owner="acme", app_name=lambda: "lunch-agent", may_write=lambda login: login.lower() in PEOPLE)


@pytest.mark.parametrize(
    "text",
    [
        "LGTM",
        "lgtm!",
        "LGTM, thanks! 🎉",
        "👍",
        ":+1: :tada:",
        "+1",
        "Thanks",
        "Thank you so much, Claude.",
        "Thanks @zoe!",
        "Looks good to me now.",
        "This looks great, nice work 🚀",
        "Perfect. Love it!",
        "> I've renamed it.\n\nGreat, thanks!",
        "> <p>I've renamed it.</p>\n\nGreat, thanks!",
        "Great, <b>thanks</b>!<br>",
        "Great, thanks!\n\n<br>\n",
    ],
)
def test_thanks_and_praise_ask_nothing(text: str) -> None:
    assert "thanks or approves" in (_listener().why_not(text) or "")


@pytest.mark.parametrize(
    "text",
    [
        "Please, in blue.",
        "Thanks! Now rename it.",
        "Looks good, but round the total.",
        "Good?",
        "LGTM once the tests pass",
        "Not good",
        "Yes",
        "ok",
        "Go ahead.",
        "```\nTraceback\n```",
        "![what I see](https://github.com/x.png)",
        "![](https://github.com/x.png)",
        'Thanks!\n\n<img width="1280" height="720" alt="Image" src="https://github.com/user-attachments/assets/1" />',
        'Thanks! <img src="https://github.com/user-attachments/assets/1">',
        "LGTM\n<IMG\n src='https://github.com/x.png'>",
        "Nice\n\n<picture>\n<img\nsrc=x>\n</picture>",
        "Nice\n\n<video src='https://github.com/user-attachments/assets/1'></video>",
        "Great!\n\n<p>The footer is still missing.</p>",
        "Great!\n\n<details>\n<summary>The footer is still missing</summary>\n\n</details>",
        "> Round it.",
        "`total` isn't great",
        "Danke, aber bitte in Blau",
        "all looks good " * 5_000 + "but",
    ],
)
def test_everything_else_does_and_in_doubt_it_does(text: str) -> None:
    assert _listener().why_not(text) is None


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("@zoe what do you think?", "zoe"),
        ("Hi @Zoe, can you check this?", "Zoe"),
        ("@zoe and @kim-k: please look.", "zoe"),
        ("cc @zoe @kim-k", "zoe"),
        ("> quoted\n\n@kim-k is this right?", "kim-k"),
        ("@acme/frontend please review", "acme/frontend"),
    ],
)
def test_what_begins_with_somebody_elses_name_is_theirs(text: str, whom: str) -> None:
    assert _listener().why_not(text) == f"the comment is addressed to {whom}"


@pytest.mark.parametrize(
    "text",
    [
        "Use the helper that @zoe wrote.",
        "@zoe's helper does this already.",
        "@pytest.fixture should be of the module",
        "@override() is missing",
        "@dataclass would be nicer here",
        "@types/node is missing",
        "@zoe and @nobody: please look.",
        "`@zoe` is spelled wrong",
        "zoe@example.com bounces",
    ],
)
def test_a_name_elsewhere_or_of_nobody_who_works_here_changes_nothing(text: str) -> None:
    assert _listener().why_not(text) is None


@pytest.mark.parametrize(
    "text", ["@claude thanks", "@zoe, @Claude does this", "LGTM @lunch-agent[bot]", "@lunch-agent 👍"]
)
def test_whoever_calls_claude_by_name_starts_a_turn(text: str) -> None:
    assert _listener().is_called(text)
    assert _listener().why_not(text) is None


@pytest.mark.parametrize(
    "text", ["Thanks, Claude", "`@claude` works", "> @claude, round it", "@claude-fan hello", "a@claude"]
)
def test_a_name_that_is_no_mention_calls_nobody(text: str) -> None:
    assert not _listener().is_called(text)


@pytest.mark.parametrize("only_when_called", [True, False])
def test_where_only_mentions_count_one_of_the_texts_has_to_call_claude(*, only_when_called: bool) -> None:
    listener = replace(_listener(), only_when_called=only_when_called)
    assert listener.disregards(["Round it.", "Sort it."]) is only_when_called
    assert not listener.disregards(["@claude please", "Sort it."])


def test_nothing_is_asked_of_github_where_the_text_does_not_depend_on_it() -> None:
    def fail(*_arguments: object) -> str:
        raise AssertionError

    listener = Listener(owner="acme", app_name=fail, may_write=fail)  # type: ignore[arg-type]  # never called
    assert listener.why_not("Please, in blue. @claude") is None
    assert listener.why_not("Round it.") is None
    assert listener.why_not("Thanks!") is not None
