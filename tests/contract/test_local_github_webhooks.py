"""Every webhook payload of the local GitHub is one that models made from GitHub's own description accept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.github_webhooks import require_webhook

from local_github import pull_requests, reviews, tracker
from local_github.bare_repository import NO_COMMIT, Identity
from local_github.events import HOOK_ID, emit_ping
from local_github.pushes import ref_moved
from local_github.site import Acting, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELIVERED = {
    ("ping", None),
    ("push", None),
    *(("issues", action) for action in ("opened", "labeled", "unlabeled", "edited", "closed", "reopened")),
    *(("issue_comment", action) for action in ("created", "edited", "deleted")),
    *(
        ("pull_request", action)
        for action in (
            "opened",
            "labeled",
            "unlabeled",
            "edited",
            "synchronize",
            "ready_for_review",
            "converted_to_draft",
            "closed",
            "reopened",
        )
    ),
    *(("pull_request_review", action) for action in ("submitted", "edited")),
    *(("pull_request_review_comment", action) for action in ("created", "edited", "deleted")),
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "github", "http://localhost:4580", "acme")
    made.storage.update("hook", HOOK_ID, url="http://127.0.0.1:9/")
    yield made
    made.storage.close()


def _push(acting: Acting, ref: str, files: dict[str, bytes], before: str, parents: list[str]) -> str:
    git = acting.repo.git
    ((name, content),) = files.items()
    sha = git.commit_tree(git.tree_with_one_file(name, content), parents, f"add {name}", Identity("a", "a@example.com"))
    git.update_ref(ref, sha, before)
    ref_moved(acting, ref, before, sha)
    return sha


def _live(acting: Acting) -> None:
    """Do everything that sends a webhook."""
    site, repo = acting.site, acting.repo
    emit_ping(site)
    first = _push(acting, "refs/heads/main", {"a": b"1\n"}, NO_COMMIT, [])
    second = _push(acting, "refs/heads/b", {"a": b"2\n"}, NO_COMMIT, [first])
    issue = tracker.open_issue(acting, title="t", body=None, labels=["x"])
    pull = pull_requests.open_pull(acting, pull_requests.Proposal("t", "b", "b", "main", draft=True))
    for row in (issue, pull):
        tracker.add_labels(acting, row, ["y"])
        tracker.remove_label(acting, row, "y")
        edited = tracker.edit_issue(acting, row, tracker.Edit("new", "new", "closed"))
        tracker.edit_issue(acting, edited, tracker.Edit("new", "new", "open"))
        comment = tracker.add_comment(acting, row, "one")
        tracker.delete_comment(acting, tracker.edit_comment(acting, comment, "two"))
    _push(acting, "refs/heads/b", {"a": b"3\n"}, second, [second])
    line = reviews.LineComment("a", "look", 1, "RIGHT", None)
    repo.git.update_ref("refs/heads/release", first, NO_COMMIT)
    pull = pull_requests.change_base(acting, pull, "release")
    pull = pull_requests.change_base(acting, pull, "main")
    pull = pull_requests.set_draft(acting, pull, draft=False)
    pull = pull_requests.set_draft(acting, pull, draft=True)
    pull = pull_requests.set_draft(acting, pull, draft=False)
    person = Acting(site, repo, "octo-dev")
    review = reviews.submit(person, pull, event="APPROVE", body="", comments=[line])
    reviews.edit_review(person, pull, review, "fine")
    line_comment = site.storage.get("review_comments", 1)
    reviews.delete_comment(person, pull, reviews.edit_comment(person, pull, line_comment, "look here"))
    pull_requests.merge(acting, pull, pull_requests.MergeCommit())


@pytest.mark.parametrize("owner", ["acme", "octo-dev"])
def test_every_webhook_is_one_github_could_send(site: Site, owner: str) -> None:
    with site.storage.transaction():
        repo = site.create_repository(owner, "app", description=None, private=False)
        _live(Acting(site, repo, site.credentials.bot))
    delivered = set()
    for delivery in site.storage.all("SELECT * FROM deliveries"):
        payload: dict[str, Any] = json.loads(delivery["payload"])
        require_webhook(delivery["event"], payload)
        delivered.add((delivery["event"], payload.get("action")))
        if delivery["event"] != "ping":
            assert ("organization" in payload) == (owner == "acme")
            installation = site.installation(owner)
            assert installation
            assert installation["id"] == payload["installation"]["id"]
            sender = (payload["sender"]["login"], payload["sender"]["type"])
            assert (("octo-dev", "User") if "review" in delivery["event"] else (site.credentials.bot, "Bot")) == sender
    assert delivered == DELIVERED
