"""The session's one comment: what it says in each state, within GitHub's limits, with untrusted words as words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.kit.sessions import a_session

from cloud_agent.domain.conversation.commit_list import LISTED
from cloud_agent.domain.conversation.messages import BODY_LIMIT
from cloud_agent.domain.conversation.status_comment import StatusView, render, session_marker
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX
from cloud_agent.domain.session.console_pages import execution_console_url
from cloud_agent.domain.session.preview import Preview, PreviewState
from cloud_agent.domain.session.provenance import Commit
from cloud_agent.domain.session.session import Ending, Session, SessionStatus

ID = "09e22a8b"
EXECUTION = f"arn:aws:states:eu-central-1:123456789012:execution:m:acme-shop-42-{ID}"
URL = f"https://{ID}.uat.example.com"
LINK = f"{URL}/.uat/enter?token=header.claims_and-more.signature"
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
EXECUTION_URL = execution_console_url(EXECUTION)
LOGS_URL = "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups"


def view(*, commits: int = 0, subject: str = "Show the menu", **members: Any) -> StatusView:  # noqa: ANN401 - any member
    of_session = {name: members.pop(name) for name in list(members) if name in Session.model_fields}
    row = {
        "repo": "acme/shop",
        "execution_arn": EXECUTION,
        "logs_url": LOGS_URL,
        "created_at": "2026-11-22T10:00:00.000Z",
    }
    url = "https://github.com/acme/shop/commit"
    members = {"as_of": datetime(2026, 11, 22, 11, 12, tzinfo=UTC), **members}
    return StatusView(
        session=a_session(**{"session_id": ID, **row, **of_session}),
        link=LINK,
        page_link=f"{LINK}&return_to=/.uat/",
        execution_url=EXECUTION_URL,
        trigger_label="claude-dev",
        max_age=timedelta(hours=8),
        commits=[Commit(f"{n:040x}", subject, f"{url}/{n:040x}") for n in range(commits)],
        commit_count=commits,
        **members,
    )


@pytest.mark.parametrize(
    ("members", "heading"),
    [
        ({"status": "QUEUED", "place": (2, 5)}, "Queued: place 2 of 5"),
        ({"status": "STARTING"}, "Starting"),
        ({"working": True}, "Running: Claude is working"),
        ({"working": False}, "Running: waiting for you"),
        ({"status": "COMPLETED", "end_reason": "The pull request was merged."}, "Completed"),
        ({"status": "STOPPED", "end_reason": "The label was removed."}, "Stopped"),
        ({"status": "FAILED", "end_reason": "The container stopped"}, "Failed"),
    ],
)
def test_the_state_stands_in_the_heading_in_words(members: dict[str, Any], heading: str) -> None:
    first, second, *_ = render(view(**members)).splitlines()
    assert session_marker(ID) == first
    assert second.startswith("### ")
    assert second.endswith(heading)


def test_a_queue_that_waits_for_aws_says_so() -> None:
    queued: dict[str, Any] = {"status": "QUEUED", "place": (1, 1)}
    assert "All sessions are in use" in render(view(**queued))
    out_of_capacity = render(view(**queued, is_out_of_capacity=True))
    assert "AWS Fargate has no room" in out_of_capacity
    assert "in use" not in out_of_capacity


@pytest.mark.parametrize("status", list(SessionStatus))
def test_branch_turns_cost_links_and_a_way_on_are_always_there(status: SessionStatus) -> None:
    comment = render(view(status=status, turns=12, max_turns=200, cost_usd=Decimal("0.4312"), budget_usd=Decimal(10)))
    for part in (
        "`claude/42`",
        "12 of 200 model turns · $0.43 of $10.00",
        f"]({EXECUTION_URL})",
        f"]({LOGS_URL})",
        "`/restart`",
    ):
        assert part in comment
    assert (URL in comment) is status.is_live
    assert ("`/stop`" in comment) is status.is_live
    assert ("`claude-dev`" in comment) is not status.is_live


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
def test_the_first_line_leads_to_the_preview_and_to_the_sessions_page_by_links_that_are_not_read(status: str) -> None:
    comment = render(view(status=status))
    first = comment.splitlines()[3]
    assert first.startswith(f"**[Open preview]({LINK}) · [Session]({LINK}&return_to=/.uat/)**")
    assert first.endswith("available once the session is running") is (status != "RUNNING")
    assert comment.count("token=") == 2
    assert f'<a href="{LINK}">Open preview</a>' in MARKDOWN.render(comment)


def test_a_session_without_a_preview_has_no_button_for_it() -> None:
    none = render(view(preview=Preview(state=PreviewState.NONE, detail="No dev server was found")))
    assert "[Open preview]" not in none
    assert f"**[Session]({LINK}&return_to=/.uat/)**" in none
    assert "**Preview:** None: No dev server was found." in none


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
def test_an_ended_session_has_no_link(status: str) -> None:
    comment = render(view(status=status))
    assert URL not in comment
    assert "token=" not in comment


def test_before_the_limits_are_known_none_is_claimed() -> None:
    assert "**So far:** 0 model turns · $0.00 · 1 h 12 min, as of Nov 22, 11:12 UTC" in render(view(status="STARTING"))


@pytest.mark.parametrize(
    ("activity", "shown"),
    [
        ("Bash npm test", "**Now:** Bash npm test"),
        ("turn_started", "**Now:** Thinking"),
        ("", "**Now:** Getting ready"),
        ("Edit <b>@octo-dev</b> `x`", "**Now:** Edit \\<b\\>\\@\u2060octo-dev\\</b\\> \\`x\\`"),
    ],
)
def test_what_claude_does_now_is_shown_while_it_works(activity: str, shown: str) -> None:
    assert shown in render(view(activity=activity, working=True)).splitlines()
    assert shown not in render(view(activity=activity, working=False))


def test_how_far_claude_is_with_its_list_is_shown_and_what_it_is_at_only_while_it_works() -> None:
    todo = {"done": 2, "total": 5, "current": "Adding the <b>total</b>"}
    shown = "**To-do list:** 2 of 5 done"
    at_it = f"{shown} · Adding the \\<b\\>total\\</b\\>"
    assert at_it in render(view(todo=todo, working=True)).splitlines()
    assert shown in render(view(todo=todo)).splitlines()
    assert shown in render(view(todo=todo, status="STOPPED", working=True)).splitlines()
    assert "To-do" not in render(view(todo={"done": 0, "total": 0}))
    assert view(todo=todo, working=True).essence == view(working=True).essence


def test_time_that_goes_by_is_no_reason_to_edit_the_comment() -> None:
    earlier, later = (view(as_of=datetime(2026, 11, 22, hour, tzinfo=UTC)) for hour in (11, 12))
    assert render(earlier) != render(later)
    assert earlier.essence == later.essence
    assert render(earlier.timeless) == render(later.timeless)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"idle_minutes": 60}, "**Stops by itself** after 1 h without activity or 8 h in all."),
        ({"idle_minutes": 5}, "**Stops by itself** after 5 min without activity or 8 h in all."),
        ({}, "**Stops by itself** after 8 h in all."),
    ],
)
def test_a_running_session_says_when_it_stops_by_itself(members: dict[str, Any], words: str) -> None:
    assert words in render(view(**members)).splitlines()
    assert "by itself" not in render(view(**members, status="STARTING"))
    assert "by itself" not in render(view(**members, idle_ends_at="2026-11-22T12:34:00.000Z"))


def test_an_ended_session_says_how_long_it_took() -> None:
    comment = render(view(status="COMPLETED", ended_at="2026-11-22T10:00:30.000Z", turns=3))
    assert "**In all:** 3 model turns · $0.00 · less than a minute" in comment
    assert "as of" not in comment


@pytest.mark.parametrize("status", list(SessionStatus))
def test_what_is_read_without_unfolding_is_fifteen_lines_at_most(status: SessionStatus) -> None:
    everything = view(
        status=status,
        commits=40,
        other_commits=2,
        closes=["#7"],
        working=True,
        unanswered=3,
        todo={"done": 2, "total": 5, "current": "Adding the total"},
        preview=Preview(state=PreviewState.FAILED, detail="It ended.", log="because\n" * 30),
        idle_ends_at="2026-11-22T12:34:00.000Z",
    )
    unfolded = re.sub(r"<details.*?</details>|<!--.*?-->", "", render(everything), flags=re.DOTALL)
    assert len([line for line in unfolded.splitlines() if line]) <= 15


def test_activity_alone_leaves_the_essence_as_it_was() -> None:
    assert view(activity="Bash ls", working=True).essence == view(activity="Edit x", working=True).essence
    assert view(turns=1, working=True).essence != view(turns=2, working=True).essence


@pytest.mark.parametrize(("count", "words"), [(1, "1 follow-up queued"), (3, "3 follow-ups queued")])
def test_follow_ups_that_wait_are_counted(count: int, words: str) -> None:
    for status in ("QUEUED", "STARTING", "RUNNING"):
        assert words in render(view(status=status, unanswered=count, working=True))


def test_an_idle_sessions_comment_says_when_it_ends_and_how_to_keep_it() -> None:
    comment = render(view(idle_ends_at="2026-11-22T12:34:00.000Z"))
    assert "stops at 12:34 UTC unless someone comments" in comment
    assert "unless someone" not in render(view())


def test_a_session_that_is_to_end_says_why() -> None:
    ending = Ending(status=SessionStatus.STOPPED, reason="octo-dev commented `/stop`")
    assert "**Ending:** octo-dev commented \\`/stop\\`." in render(view(ending=ending))


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "1 comment wasn't answered; `/restart` picks it up."),
        (2, "2 comments weren't answered; `/restart` picks them up."),
    ],
)
def test_an_ended_session_says_what_it_left_unanswered(count: int, words: str) -> None:
    assert words in render(view(status="STOPPED", unanswered=count))
    assert "unanswered" not in render(view(status="STOPPED"))


def test_three_commits_are_shown_and_the_rest_is_folded() -> None:
    assert " more</summary>" not in render(view(commits=3))
    comment = render(view(commits=25))
    before, _, folded = comment.partition("<details>")
    assert "**25 commits on this branch**" in before
    assert (before.count("Show the menu"), folded.count("Show the menu")) == (3, 22)
    assert "<summary>22 more</summary>" in folded


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=600),
    status=st.sampled_from(list(SessionStatus)),
    commits=st.sampled_from([0, 1, 11, 3_000]),
)
def test_no_words_of_others_become_markup_or_too_much(text: str, status: SessionStatus, commits: int) -> None:
    hard = f"</details><!-- x -->@octo-dev {text}"
    members: dict[str, Any] = {"activity": hard, "end_reason": hard, "status": status, "working": True}
    comment = render(view(commits=commits, subject=hard, ending=Ending(status="STOPPED", reason=hard), **members))
    shown = MARKDOWN.render(comment)
    assert len(comment) <= BODY_LIMIT
    assert comment.startswith(session_marker(ID))
    assert LOGS_URL in comment
    assert int(commits > 3) + 1 == shown.count("</details>")
    assert shown.count("<!--") == 1


def test_the_longest_comment_fits() -> None:
    members: dict[str, Any] = {"activity": "*" * 5_000, "end_reason": "*" * 5_000, "status": "FAILED"}
    comment = render(view(commits=5_000, subject="@a" * 500, unanswered=10**6, **members))
    assert len(comment) <= BODY_LIMIT
    assert f"… and {5_000 - LISTED} older commits." in comment


def test_there_are_no_logs_to_link_to_before_there_is_a_task() -> None:
    assert f"· [Logs]({LOGS_URL})" in render(view())
    assert "[Logs]" not in render(view(logs_url=None))


def test_the_staging_agent_is_named_and_the_usual_one_is_not() -> None:
    assert "| **Agent** | staging |" in render(view(agent="staging"))
    assert "**Agent**" not in render(view(agent="standard"))


def test_the_model_of_the_next_turn_is_named_with_the_effort_that_is_set() -> None:
    assert "**Model**" not in render(view())
    assert "| **Model** | `claude-sonnet-5-5` |" in render(view(model="claude-sonnet-5-5"))
    assert "| **Model** | `claude-sonnet-5-5` · low effort |" in render(view(model="claude-sonnet-5-5", effort="low"))
    chosen = {"model": "claude-opus-5-5", "at": "2026-11-22T08:00:00.000Z"}
    shown = render(view(model="claude-sonnet-5-5", effort="low", chosen_model=chosen))
    assert "| **Model** | `claude-opus-5-5` · low effort |" in shown


@given(detail=st.text(max_size=500), log=st.text(max_size=4_000), state=st.sampled_from(sorted(PreviewState)))
def test_whatever_a_preview_wrote_stays_in_its_line_and_its_fence(detail: str, log: str, state: PreviewState) -> None:
    detail, log = f"`{OWN_PREFIX}` {detail}", f"{log}\n{OWN_PREFIX}"
    comment = render(view(preview=Preview(state=state, detail=detail, log=log)))
    assert comment.count(OWN_PREFIX) == 1
    tokens = MARKDOWN.parse(comment)
    lines = [line for token in tokens if token.type == "inline" for line in token.content.splitlines()]
    assert len([line for line in lines if line.startswith("**Preview:** ")]) == 1
    assert len([token for token in tokens if token.type == "table_open"]) == 1
    assert [token.type for token in tokens if token.type == "heading_open"] == ["heading_open"]
    assert len([token for token in tokens if token.type == "fence"]) == (state is PreviewState.FAILED)


def test_a_log_that_grows_is_no_reason_to_edit_the_comment_at_once() -> None:
    views = [view(preview=Preview(state=PreviewState.FAILED, detail="It ended.", log=log)) for log in ("a", "b")]
    assert views[0].essence == views[1].essence
    assert render(views[0]) != render(views[1])
    assert views[0].essence != view(preview=Preview(state=PreviewState.LIVE)).essence


def test_a_session_that_has_ended_has_no_preview_any_more() -> None:
    preview = Preview(state=PreviewState.FAILED, detail="It ended.", log="because")
    assert "because" not in render(view(status="STOPPED", end_reason="Stopped.", preview=preview))


@pytest.mark.parametrize(
    ("status", "count", "words"),
    [
        ("RUNNING", 1, "1 commit isn't on GitHub: Claude's reply says why. Each turn tries again. It's kept until the"),
        (
            "RUNNING",
            3,
            "3 commits aren't on GitHub: Claude's reply says why. Each turn tries again. They're kept until",
        ),
        ("STOPPED", 1, "1 commit wasn't on GitHub when the session ended; its changes are lost."),
        ("FAILED", 3, "3 commits weren't on GitHub when the session ended; their changes are lost."),
    ],
)
def test_commits_that_could_not_be_pushed_are_counted(status: str, count: int, words: str) -> None:
    assert words in render(view(status=status, unpublished=count))
    assert "on GitHub" not in render(view(status=status, unpublished=0))


def test_a_conflict_with_the_base_branch_is_said_with_what_to_do_while_the_session_runs() -> None:
    said = "this branch conflicted with its base branch: `/update` has Claude resolve that."
    assert said in render(view(conflicts=True))
    assert "conflict" not in render(view(conflicts=False))
    assert "conflict" not in render(view(conflicts=True, status="STOPPED"))


KEPT = {"state": "kept", "kept_until": "2026-12-29"}


@pytest.mark.parametrize(
    ("status", "count", "work", "words"),
    [
        ("RUNNING", 2, KEPT, "They're kept until Dec 29, 2026: if this session ends, `/restart` takes them up."),
        ("RUNNING", 1, KEPT | {"taken_up": 1}, "1 commit of an earlier session isn't on GitHub yet. Each turn tries"),
        ("RUNNING", 3, KEPT | {"taken_up": 1}, "3 commits aren't on GitHub: Claude's reply says why."),
        ("RUNNING", 1, {"state": "too_large"}, "It's too large to outlast the session (more than 256 MiB)."),
        (
            "RUNNING",
            0,
            {"state": "published", "taken_up": 2},
            "that an earlier session couldn't push; they're on GitHub",
        ),
        ("RUNNING", 0, {"state": "not_taken_up"}, "couldn't be taken up. They're kept for as long as that"),
        ("STOPPED", 1, KEPT, "on GitHub when the session ended. It's kept until Dec 29, 2026: `/restart` takes it up"),
        ("STOPPED", 2, {"state": "too_large"}, "too large to be kept (more than 256 MiB); their changes are lost."),
        ("STOPPED", 2, {"state": "not_kept"}, "2 commits weren't on GitHub when the session ended; their changes are"),
    ],
)
def test_what_becomes_of_commits_that_are_not_on_github_is_said(
    status: str, count: int, work: dict[str, Any], words: str
) -> None:
    assert words in render(view(status=status, unpublished=count, unpublished_work=work))
