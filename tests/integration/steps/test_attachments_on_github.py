"""What an App reads of texts with attached images leads anybody to the images, for a while."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import httpx

from cloud_agent.adapters.github.connection import connect
from cloud_agent.domain.conversation.attachments import Attachment, attachments_of, signed_addresses
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind
from cloud_agent.settings import GitHubSettings, load

if TYPE_CHECKING:
    from tests.integration.steps.github import GitHub, Json
    from tests.integration.steps.handlers import Steps


def test_images_of_an_issue_a_comment_and_a_review_are_found_by_the_address_of_the_text(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    for step in ("create_branch", "open_draft_pull_request"):
        steps.run(step, session)
    (pull,) = github.pulls(session)
    issues = f"/repos/{repo}/issues"
    places: dict[PromptKind, tuple[str, Json]] = {
        PromptKind.ISSUE: (issues, {"title": "t"}),
        PromptKind.COMMENT: (f"{issues}/{pull['number']}/comments", {}),
        PromptKind.REVIEW: (f"/repos/{repo}/pulls/{pull['number']}/reviews", {"event": "COMMENT"}),
    }
    texts = connect(load(GitHubSettings), session.repository).rendered_texts
    for kind, (path, members) in places.items():
        content = base64.b64encode(kind.encode()).decode()
        address = github.call("POST", "/admin/attachments", name="a.png", content=content)["url"]
        written = github.call("POST", path, body=f"![]({address})", **members)
        prompt = Prompt(
            id="0",
            kind=kind,
            body=written["body"],
            author="octo-dev",
            url=written["html_url"],
            created_at="2026-11-22T10:00:00.000Z",
            review_id=written["id"],
        )
        (found,) = attachments_of(prompt)
        assert found == Attachment(address, written["html_url"])
        signed = found.fetched_from(signed_addresses(texts.html(found.source)))
        assert signed is not None
        assert httpx.get(signed).content == kind.encode()
        assert httpx.get(address).status_code == 404
    assert not texts.html(f"{github.url}/{repo}/issues/999")
    assert not texts.html(f"{github.url}/{repo}/wiki")
