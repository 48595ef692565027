"""DynamoDB: what has been published of a session, and on which branch a commit was first seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.keys import commit_key, published_key, turn_result_key
from cloud_agent.domain.conversation.closing_keywords import SHOWN
from cloud_agent.domain.session.provenance import Commit
from cloud_agent.domain.session.session import expiry_after_end, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEPT_COMMITS = 200  # newest first; a row holds 400 KB, and no comment lists as many
_KEPT_CHARACTERS = 100  # of a subject and of an author's name, more than a comment shows
_BATCH = 100  # keys, BatchGetItem's limit


@dataclass(frozen=True)
class Published:
    """What is known to stand on GitHub.

    `essence` and `body` are digests of the status comment, without and with what Claude is doing; `commits` are the
    branch's own, newest first, as they were when `head_sha` was reported, `others` the number of those on it that are
    another session's, and `closes` the issues that merging would close by a commit's message; `announced` are the
    commits that a reply has named. `deployment_state` is the Deployment's, since the session was announced. `notified`
    are the events that were sent elsewhere. `comment_node_id` is the status comment's global id, once it was edited.
    """

    essence: str = ""
    body: str = ""
    edited_at: str = ""
    head_sha: str | None = None
    commits: tuple[Commit, ...] = ()
    commit_count: int = 0
    others: int = 0
    closes: tuple[str, ...] = ()
    announced: frozenset[str] = frozenset()
    notified: frozenset[str] = frozenset()
    made_ready: bool = False
    deployment_state: str = ""
    comment_node_id: str = ""


class Publications:
    """The bookkeeping of publishing. Nothing here decides; what GitHub shows is the truth."""

    def __init__(self, table_name: str) -> None:
        self._resource = clients.dynamodb()
        self._table = clients.table(table_name)
        self._conditional_failure = self._table.meta.client.exceptions.ConditionalCheckFailedException

    def of(self, session_id: str) -> Published:
        """Return what has been published of the session, read consistently."""
        item: dict[str, Any] = self._table.get_item(Key=published_key(session_id), ConsistentRead=True).get("Item", {})
        return Published(
            essence=item.get("essence", ""),
            body=item.get("body", ""),
            edited_at=item.get("edited_at", ""),
            head_sha=item.get("head_sha"),
            commits=tuple(
                Commit(commit["sha"], commit["subject"], commit["url"], author=commit.get("author"))
                for commit in item.get("commits", ())
            ),
            commit_count=int(item.get("commit_count", 0)),
            others=int(item.get("others", 0)),
            closes=tuple(item.get("closes", ())),
            announced=frozenset(item.get("announced", ())),
            notified=frozenset(item.get("notified", ())),
            made_ready=bool(item.get("made_ready", False)),
            deployment_state=item.get("deployment_state", ""),
            comment_node_id=item.get("comment_node_id", ""),
        )

    def first_try(self, session_id: str, operation: str) -> bool:
        """Note that something is about to be written on GitHub; returns False when that had been noted before.

        Then an earlier try may have got through without our knowing: look on GitHub before writing again.
        """
        before: dict[str, Any] = self._table.update_item(
            Key=published_key(session_id),
            UpdateExpression="ADD tried :operation SET expires_at = :expires",
            ExpressionAttributeValues={":operation": {operation}, ":expires": expiry_after_end()},
            ReturnValues="ALL_OLD",
        ).get("Attributes", {})
        return operation not in before.get("tried", ())

    def record_edit(self, session_id: str, essence: str, body: str, node_id: str = "") -> None:
        """Record that the status comment now says this (digests), and its global id where that is known."""
        known = {"comment_node_id": node_id} if node_id else {}
        self._set(session_id, essence=essence, body=body, edited_at=timestamp(), **known)

    def record_commits(
        self, session_id: str, head_sha: str | None, commits: Sequence[Commit], *, others: int, closes: Sequence[str]
    ) -> None:
        """Record the branch's own commits, newest first, at this reported head, the others, and what merging closes."""
        kept, count = [_kept(commit) for commit in commits[:KEPT_COMMITS]], len(commits)
        self._set(session_id, head_sha=head_sha, commits=kept, commit_count=count, others=others, closes=closes[:SHOWN])

    def record_announced(self, session_id: str, shas: Iterable[str]) -> None:
        """Record that a reply has named these commits, or that they were there before the session."""
        announced = set(shas)
        if announced:
            self._table.update_item(
                Key=published_key(session_id),
                UpdateExpression="ADD announced :announced",
                ExpressionAttributeValues={":announced": announced},
            )

    def record_notified(self, session_id: str, key: str) -> None:
        """Record that this event of the session has been sent, as far as it could be."""
        self._table.update_item(
            Key=published_key(session_id),
            UpdateExpression="ADD notified :key SET expires_at = :expires",
            ExpressionAttributeValues={":key": {key}, ":expires": expiry_after_end()},
        )

    def record_ready(self, session_id: str) -> None:
        """Record that the pull request was made ready for review, or could not be: this session does it no more."""
        self._set(session_id, made_ready=True)

    def record_deployment_state(self, session_id: str, state: str) -> None:
        """Record that the session's Deployment now has this state."""
        self._set(session_id, deployment_state=state)

    def record_reply(self, session_id: str, prompt_id: str, reply_id: int) -> None:
        """Record that the reply to this prompt stands on GitHub."""
        self._table.update_item(
            Key=turn_result_key(session_id, prompt_id),
            UpdateExpression="SET reply_id = :id",
            ConditionExpression=Attr("pk").exists(),
            ExpressionAttributeValues={":id": reply_id},
        )

    def claim_commits(self, repository_id: int, branch: str, shas: Iterable[str]) -> None:
        """Note that these commits were seen on the branch. Where one had been seen before, that stands, for good."""
        for sha in shas:
            row = commit_key(repository_id, sha) | {"branch": branch}
            try:
                self._table.put_item(Item=row, ConditionExpression=Attr("pk").not_exists())
            except self._conditional_failure:
                continue

    def branches_of(self, repository_id: int, shas: Sequence[str]) -> dict[str, str]:
        """Return the branch that each commit was first seen on, by sha; one that was never seen is left out."""
        found: dict[str, str] = {}
        for start in range(0, len(shas), _BATCH):
            pending: list[Any] = [commit_key(repository_id, sha) for sha in dict.fromkeys(shas[start : start + _BATCH])]
            while pending:
                response = self._resource.batch_get_item(
                    RequestItems={self._table.name: {"Keys": pending, "ConsistentRead": True}}
                )
                for item in response["Responses"].get(self._table.name, ()):
                    found[str(item["pk"]).rpartition("#")[2]] = str(item["branch"])
                left: dict[str, Any] = dict(response["UnprocessedKeys"].get(self._table.name, {}))
                pending = left.get("Keys", [])
        return found

    def _set(self, session_id: str, **attributes: Any) -> None:  # noqa: ANN401 - whatever DynamoDB stores
        values = {"expires_at": expiry_after_end(), **attributes}
        self._table.update_item(
            Key=published_key(session_id),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )


def _kept(commit: Commit) -> dict[str, str | None]:
    author = None if commit.author is None else commit.author[:_KEPT_CHARACTERS]
    return {"sha": commit.sha, "subject": commit.subject[:_KEPT_CHARACTERS], "url": commit.url, "author": author}
