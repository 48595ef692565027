"""Who Claude's commits are by, and who is named with them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from cloud_agent.domain.conversation.closing_keywords import closed_by
from cloud_agent_runner.agent_api_messages import Account, GitToken
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.closing_keywords import without_closing
from cloud_agent_runner.git.credit import CLAUDE, CommitAuthor, Credit, Credits, Identity
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import GitWorkspace
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

LINK = "https://0a1b2c3d.uat.example.com"
APP, PAT = Account(login="my-app[bot]", id=9), Account(login="pat", id=7)
BOT = Identity("my-app[bot]", "9+my-app[bot]@users.noreply.github.com")
PERSON = Identity("pat", "7+pat@users.noreply.github.com")
SESSION = f"Claude-Session: {LINK}"


def _credit(author: CommitAuthor, app: Account | None = APP, requester: Account | None = PAT) -> Credit:
    return Credits(author, "https://github.com").of(app, requester, LINK)


def test_the_author_is_who_the_repository_says_and_the_other_is_named() -> None:
    by_pat = f"Co-authored-by: {PERSON.name} <{PERSON.email}>"
    assert _credit("app") == Credit(BOT, (by_pat, SESSION))
    assert _credit("claude") == Credit(CLAUDE, (by_pat, SESSION))
    assert _credit("requester") == Credit(PERSON, (f"Co-authored-by: {BOT.name} <{BOT.email}>", SESSION))


def test_an_account_that_is_not_known_is_left_out() -> None:
    assert _credit("app", None) == Credit(CLAUDE, (f"Co-authored-by: {PERSON.name} <{PERSON.email}>", SESSION))
    assert _credit("app", requester=None) == Credit(BOT, (SESSION,))
    assert _credit("app", APP, APP) == Credit(BOT, (SESSION,))  # a personal token: both are the same account
    assert _credit("app", requester=Account(login="x>\nEvil: yes", id=1)) == Credit(BOT, (SESSION,))


def git(*arguments: str, at: Path, given: str | None = None) -> str:
    identity = ("-c", "user.name=pat", "-c", "user.email=pat@example.com") if at.name == "clone" else ()
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True, input=given).stdout


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """GitHub's repository, with a branch that is a commit ahead of main."""
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    git("init", "--quiet", "--bare", "--initial-branch", "main", str(remote), at=tmp_path)
    git("init", "--quiet", "--initial-branch", "main", str(clone), at=tmp_path)
    git("commit", "--quiet", "--allow-empty", "-m", "Begin", at=clone)
    git("push", "--quiet", str(remote), "main", "main:claude/42", at=clone)
    return remote


@pytest.fixture
async def workspace(tmp_path: Path, remote: Path) -> GitWorkspace:
    async def token() -> GitToken:
        return GitToken(username="x-access-token", token=SecretStr("t"))

    root = tmp_path / "work"
    root.mkdir()
    branch = SessionBranch(str(remote), "claude/42", allow_workflow_changes=True)
    return await GitWorkspace.clone(root, WorkspaceUser(root, None), branch, GitTokens(token, token))


def _log(repository: Path) -> list[str]:
    """What Git says of the commits of the branch, newest first."""
    shown = "%an|%ae|%cn|%s|%(trailers:only,unfold,separator=%x2C)"
    return git("log", f"--format={shown}", "main..claude/42", at=repository).splitlines()


async def test_commits_get_their_credit_as_they_are_published_and_what_is_published_stays(
    workspace: GitWorkspace, remote: Path
) -> None:
    tree = workspace.work_tree
    await workspace.credit(_credit("app"))
    git("commit", "--quiet", "--allow-empty", "-m", "One", "-m", "Why.\n\nReviewed-by: zoe", at=tree)
    git("commit", "--quiet", "--allow-empty", "-m", "Theirs", "--author", "Zoe <zoe@example.com>", at=tree)
    (tree / "left.txt").write_text("left")
    first = (await workspace.publish()).head_sha
    bot = f"{BOT.name}|{BOT.email}|{BOT.name}"
    by_pat = f"Co-authored-by: pat <{PERSON.email}>,{SESSION}"
    assert _log(remote)[:3] == [
        f"{bot}|chore: commit changes that the last turn left uncommitted|{by_pat}",
        f"Zoe|zoe@example.com|{BOT.name}|Theirs|",
        f"{bot}|One|Reviewed-by: zoe,{by_pat}",
    ]
    assert git("rev-parse", "HEAD", at=tree).strip() == first
    assert git("status", "--porcelain", at=tree) == ""

    await workspace.credit(_credit("app", requester=Account(login="eve", id=8)))
    git("commit", "--quiet", "--allow-empty", "-m", "Two", at=tree)
    await workspace.publish()
    (two, *_) = _log(remote)
    assert "Co-authored-by: eve <8+eve@users.noreply.github.com>" in two
    assert git("rev-parse", "claude/42~1", at=remote).strip() == first


async def test_a_merge_keeps_its_parents_and_what_others_have_pushed(workspace: GitWorkspace, remote: Path) -> None:
    tree = workspace.work_tree
    await workspace.credit(_credit("app"))
    git("checkout", "--quiet", "-b", "side", at=tree)
    git("commit", "--quiet", "--allow-empty", "-m", "Side", at=tree)
    git("checkout", "--quiet", "claude/42", at=tree)
    git("commit", "--quiet", "--allow-empty", "-m", "Ours", at=tree)
    git("merge", "--quiet", "--no-ff", "-m", "Both", "side", at=tree)
    await workspace.publish()
    assert [line.split("|")[3] for line in _log(remote)[:3]].count("Both") == 1
    assert all(SESSION in line for line in _log(remote)[:3])
    assert len(git("rev-list", "--parents", "-1", "claude/42", at=remote).split()) == 3


@pytest.mark.parametrize(
    ("written", "published"),
    [
        ("Fixes #7", "Fixes issue #7"),
        ("fix: resolved octo-org/octo-repo#100", "fix: resolved issue octo-org/octo-repo#100"),
        ("CLOSES: #8\n\nresolve\n#9", "CLOSES: issue #8\n\nresolve\nissue #9"),
        ("Fixed #1234 -- Took care", "Fixed issue #1234 -- Took care"),
        ("Close GH-9", "Close issue GH-9"),
        ("fixes#7", "fixes issue #7"),
        ("Closes https://github.com/acme/lunch/issues/7", "Closes issue https://github.com/acme/lunch/issues/7"),
        ("Fix #7 for @zoe and @types/node", "Fix issue #7 for @zoe and @types/node"),
        ("Fixes issue #7, see #8; prefix #9, fixes #nothing", "Fixes issue #7, see #8; prefix #9, fixes #nothing"),
    ],
)  # fmt: skip
def test_a_message_closes_no_issue_and_still_names_it(written: str, published: str) -> None:
    assert without_closing(written) == published
    assert closed_by([published], "acme/lunch", 0) == ()  # as it's read before a merge
    assert without_closing(published) == published


@pytest.mark.parametrize("credit", [Credit(), _credit("app")])
async def test_no_commit_that_was_made_here_closes_an_issue_whoever_it_says_it_is_by(
    workspace: GitWorkspace, remote: Path, credit: Credit
) -> None:
    tree = workspace.work_tree
    await workspace.credit(credit)
    git("commit", "--quiet", "--allow-empty", "-m", "One", "-m", "Fixes #7.", at=tree)
    hidden = f"Closes: #8\n\n{SESSION}"
    git("commit", "--quiet", "--allow-empty", "-m", hidden, "--author", "Zoe <zoe@example.com>", at=tree)

    for encoding in ("IBM037", "UTF-16LE", "ISO-8859-1"):  # by which Git would read something else
        encoded = ("-c", f"i18n.commitEncoding={encoding}")
        git(*encoded, "commit", "--quiet", "--allow-empty", "-m", "Ten", "-m", "Resolves #10", at=tree)

    head = (await workspace.publish()).head_sha

    raw = git("cat-file", "--batch", at=remote, given=git("rev-list", "main..claude/42", at=remote))
    assert (raw.count("Resolves issue #10"), "Resolves #10" in raw, "\nencoding " in raw) == (3, False, False)
    bodies = git("log", "--format=%B", "main..claude/42", at=remote)
    assert ("Fixes issue #7." in bodies, "Closes: issue #8" in bodies) == (True, True)
    assert git("rev-parse", "HEAD", at=tree).strip() == head
    assert (await workspace.publish()).head_sha is None
