"""Changes become webhook payloads, written down in the transaction of the change itself."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from local_github.documents import issues, pulls
from local_github.documents.accounts import APP_EVENTS, app
from local_github.documents.repositories import event_context, pushed_repository

if TYPE_CHECKING:
    from local_github.site import Acting, Site
    from local_github.storage import Row

HOOK_ID = 1


def emit(acting: Acting, event: str, **payload: Any) -> None:  # noqa: ANN401 - JSON
    """Queue a delivery of `event` to the App's webhook, if it has one and is installed on the owner's account."""
    context = event_context(acting.site, acting.repo, acting.login)
    hook = acting.site.storage.get("hook", HOOK_ID)
    if not hook["url"] or "installation" not in context:
        return
    if event == "push":
        context["repository"] = pushed_repository(acting.site, acting.repo)
    acting.site.storage.insert(
        "deliveries",
        guid=str(uuid.uuid4()),
        event=event,
        action=payload.get("action"),
        redelivery=False,
        installation_id=context["installation"]["id"],
        repository_id=acting.repo.id,
        payload=json.dumps({**payload, **context}, ensure_ascii=False),
    )


def emit_ping(site: Site) -> None:
    """Queue the ping that greets a webhook's new address."""
    hook = site.storage.get("hook", HOOK_ID)
    description = {
        "type": "App",
        "id": HOOK_ID,
        "name": "web",
        "active": True,
        "events": list(APP_EVENTS),
        "config": hook_config(hook),
        "created_at": hook["created_at"],
        "updated_at": hook["updated_at"],
        "app_id": app(site)["id"],
        "deliveries_url": f"{site.api_url}/app/hook/deliveries",
    }
    payload = {"zen": "Keep it logically awesome.", "hook_id": HOOK_ID, "hook": description}
    site.storage.insert(
        "deliveries", guid=str(uuid.uuid4()), event="ping", redelivery=False, payload=json.dumps(payload)
    )


def hook_config(hook: Row) -> dict[str, str]:
    """Describe the App's webhook; the secret is never shown again."""
    return {
        "content_type": hook["content_type"],
        "insecure_ssl": hook["insecure_ssl"],
        "secret": "********",
        "url": hook["url"],
    }


def emit_issue_event(acting: Acting, action: str, row: Row, **extra: Any) -> None:  # noqa: ANN401 - JSON
    """Queue `issues` or, for a pull request, `pull_request`."""
    if issues.is_pull(row):
        document = pulls.pull(acting.site, acting.repo, row)
        emit(acting, "pull_request", action=action, number=row["number"], pull_request=document, **extra)
    else:
        emit(acting, "issues", action=action, issue=issues.issue(acting.site, acting.repo, row), **extra)
