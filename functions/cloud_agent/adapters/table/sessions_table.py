"""DynamoDB: the sessions table. Every write that changes a status names the status it leaves."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.contention import uncontended
from cloud_agent.adapters.table.keys import lock_key, pull_key, session_key
from cloud_agent.domain.errors import SessionNotFoundError
from cloud_agent.domain.session.session import (
    LIVE,
    Ending,
    Session,
    SessionStatus,
    expiry_after_end,
    timestamp,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.policy.limits import SessionLimits, WantedLimits
    from cloud_agent.domain.session.agent_reports import HostHeader
    from cloud_agent.domain.session.app import App
    from cloud_agent.domain.session.model_choice import Effort, ModelChoice
    from cloud_agent.domain.session.preview import Preview
    from cloud_agent.domain.session.repository import GitHubRepository


_BATCH = 100  # rows, BatchGetItem's limit


class SessionsTable:
    """The rows of sessions, issue locks and pull requests."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)
        self._conditional_failure = self._table.meta.client.exceptions.ConditionalCheckFailedException

    def get(self, session_id: str) -> Session:
        """Return the session's row, read consistently.

        Raises:
            SessionNotFoundError: there is none.
        """
        session = self.find(session_id)
        if session is None:
            raise SessionNotFoundError(f"There is no session {session_id}.")
        return session

    def find(self, session_id: str) -> Session | None:
        """Return the session's row, read consistently; None when it has not been claimed, or has expired."""
        item = self._table.get_item(Key=session_key(session_id), ConsistentRead=True).get("Item")
        return Session.model_validate(item) if item else None

    def rows(self, session_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of these sessions by id, read consistently and unchecked; those that are gone are absent."""
        rows: dict[str, dict[str, Any]] = {}
        for start in range(0, len(session_ids), _BATCH):
            keys = [session_key(session_id) for session_id in session_ids[start : start + _BATCH]]
            wanted: Any = {self._table.name: {"Keys": keys, "ConsistentRead": True}}
            while wanted:  # DynamoDB answers at most 16 MB at once, and less when it is throttled
                page = self._table.meta.client.batch_get_item(RequestItems=wanted)
                rows |= {str(row["session_id"]): row for row in page["Responses"].get(self._table.name, ())}
                wanted = page.get("UnprocessedKeys")
        return rows

    def get_own(self, session_id: str, execution_arn: str) -> Session:
        """Return the row of the session that this execution claimed.

        Raises:
            SessionNotFoundError: it claimed none; a row of the same id is another execution's.
        """
        session = self.get(session_id)
        if session.execution_arn != execution_arn:
            raise SessionNotFoundError(f"Session {session_id} belongs to {session.execution_arn}.")
        return session

    def live_session_id(self, repository_id: int, issue_number: int) -> str | None:
        """Return the id of the session that holds this issue's lock, if any.

        An expired lock binds nobody, here as in the state that claims the session: DynamoDB may take days to delete it.
        """
        item = self._table.get_item(Key=lock_key(repository_id, issue_number), ConsistentRead=True).get("Item")
        if item is None or int(str(item["expires_at"])) < time.time():
            return None
        return str(item["session_id"])

    def record(self, session_id: str, **attributes: str | int | dict[str, Any] | list[dict[str, Any]] | None) -> None:
        """Set attributes of an existing row that are not its status.

        Raises:
            SessionNotFoundError: the row is gone.
        """
        names = {f"#{name}": name for name in attributes}
        try:
            uncontended(
                lambda: self._table.update_item(
                    Key=session_key(session_id),
                    UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                    ConditionExpression=Attr("pk").exists(),
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
                )
            )
        except self._conditional_failure as error:
            raise SessionNotFoundError(f"There is no session {session_id}.") from error

    def record_repository(self, session: Session, repository: GitHubRepository) -> Session:
        """Return the session with its repository as it is now, which its row keeps.

        A delivery without an installation, such as one of a repository's own webhook, says nothing of it.
        """
        known = {"repo": session.repo, "installation_id": session.installation_id}
        now = {"repo": repository.name, "installation_id": repository.installation_id or session.installation_id}
        if now != known:
            with suppress(SessionNotFoundError):  # it has just expired
                self.record(session.session_id, **now)
        return session.model_copy(update=now)

    def record_pull_request(
        self, session_id: str, repository_id: int, pull_number: int, pull_url: str, base_branch: str
    ) -> None:
        """Tie session and pull request together, both ways; the session's base is the pull request's."""
        self.record(session_id, pull_number=pull_number, pull_url=pull_url, base_branch=base_branch)
        self._table.put_item(Item=pull_key(repository_id, pull_number) | {"session_id": session_id})

    def record_deployment(self, session_id: str, deployment_id: int, creator: App | None) -> None:
        """Keep the session's Deployment, and who created it: the account that acts for this system."""
        app = {"app": creator.model_dump()} if creator else {}
        self.record(session_id, deployment_id=deployment_id, **app)

    def record_activity(self, session_id: str, attributes: dict[str, Any]) -> bool:
        """Set what a turn reports and when; returns False when the session has ended."""
        names = {f"#{name}": name for name in attributes}
        assignments = [f"#{name} = :{name}" for name in attributes]
        return self.update(
            session_id,
            "SET " + ", ".join(["last_active_at = :now", *assignments]) + " REMOVE idle_ends_at",
            Attr("status").is_in(sorted(LIVE)),
            names=names,
            values={":now": timestamp()} | {f":{name}": value for name, value in attributes.items()},
        )

    def session_of_pull(self, repository_id: int, pull_number: int) -> str | None:
        """Return the id of the session that a pull request belongs to, live or not, if any."""
        item = self._table.get_item(Key=pull_key(repository_id, pull_number), ConsistentRead=True).get("Item")
        return str(item["session_id"]) if item else None

    def request_end(self, session_id: str, ending: Ending) -> Session | None:
        """Note how a live session is to end and return its row; None when it has ended or is gone.

        The first request stands. Whoever waits for the session reads the note: the state that parks it, and the
        agent's next call.
        """
        self.update(
            session_id,
            "SET ending = :ending",
            Attr("status").is_in(sorted(LIVE)) & Attr("ending").not_exists(),
            values={":ending": ending.model_dump(mode="json")},
        )
        session = self.find(session_id)  # a pull request outlives its session's row, which expires
        return session if session and session.status.is_live else None

    def record_config(  # noqa: PLR0913 - what holds for a session, by name
        self,
        session_id: str,
        limits: SessionLimits,
        wanted: WantedLimits,
        *,
        host_header: HostHeader,
        has_workspace_user: bool,
        model: str = "",
        effort: Effort | None = None,
    ) -> None:
        """Keep what holds for this session, as the deployment, the repository's file and the agent say.

        Of what is `wanted`, that is what `limits` don't say.
        """
        trigger = wanted.comment_trigger
        self.update(
            session_id,
            "SET idle_minutes = :idle, max_turns = :turns, budget_usd = :budget, ready_for_review = :ready, "
            "host_header = :host_header, has_workspace_user = :workspace, model = :model"
            + (", effort = :effort" if effort else "")
            + (", comment_trigger = :trigger" if trigger else ""),
            Attr("status").is_in(sorted(LIVE)),
            values={
                ":idle": limits.idle_minutes,
                ":turns": limits.max_turns,
                ":budget": limits.budget_usd,
                ":ready": wanted.ready_for_review,
                ":host_header": host_header,
                ":workspace": has_workspace_user,
                ":model": model,
            }
            | ({":effort": effort} if effort else {})
            | ({":trigger": trigger} if trigger else {}),
        )

    def choose_model(self, session_id: str, choice: ModelChoice) -> None:
        """Keep what somebody chose last, whether or not the session lives: the next one takes it over."""
        self.update(
            session_id,
            "SET chosen_model = :choice",
            Attr("pk").exists() & (Attr("chosen_model").not_exists() | Attr("chosen_model.at").lt(choice.at)),
            values={":choice": choice.model_dump(mode="json", exclude_none=True)},
        )

    def record_preview(
        self,
        session_id: str,
        preview: Preview,
        *,
        host_header: HostHeader | None,
        revision: int | None,
        port: int | None = None,
    ) -> None:
        """Keep how a live session's preview is, by which name its dev server is called, and its pages' revision.

        An unknown name is left as it was; pages that aren't to be reloaded have no revision. `port` is where visitors
        are sent, if not to the one that the agent was ready with.
        """
        known = {
            "preview": preview.model_dump(mode="json"),
            "host_header": host_header,
            "page_revision": revision,
            "preview_port": port,
        }
        kept = {name: value for name, value in known.items() if value is not None}
        gone = sorted({"page_revision", "preview_port"} - kept.keys())
        self.update(
            session_id,
            f"SET {', '.join(f'{name} = :{name}' for name in kept)}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
            Attr("status").is_in(sorted(LIVE)),
            values={f":{name}": value for name, value in kept.items()},
        )

    def request_interrupt(self, session_id: str, interrupt_id: str) -> bool:
        """Note that the running turn is to be interrupted; returns False when the session has ended."""
        return self.update(
            session_id,
            "SET interrupt_id = :id, last_active_at = :now REMOVE idle_ends_at",
            Attr("status").is_in(sorted(LIVE)),
            values={":id": interrupt_id, ":now": timestamp()},
        )

    def record_branch(self, session_id: str, head_sha: str) -> None:
        """Note where GitHub says that a live session's branch is now."""
        self.update(
            session_id,
            "SET branch_sha = :sha",
            Attr("status").is_in(sorted(LIVE)),
            values={":sha": head_sha},
        )

    def record_base(self, session_id: str, base_branch: str) -> None:
        """Note which branch a session's pull request is for. Whether it conflicts with another one isn't known yet."""
        self.update(
            session_id,
            "SET base_branch = :base, conflicts = :no",
            Attr("pk").exists() & (Attr("base_branch").not_exists() | Attr("base_branch").ne(base_branch)),
            values={":base": base_branch, ":no": False},
        )

    def record_no_conflict(self, session_id: str) -> None:
        """Note that a session's branch can be merged into its base branch, as GitHub says."""
        self.update(session_id, "SET conflicts = :no", Attr("conflicts").eq(True), values={":no": False})

    def record_start_token(self, session_id: str, token: str) -> None:
        """Keep the token of the execution's first wait, so that it can be notified of an end at once."""
        self.update(
            session_id,
            "SET start_token = :token",
            Attr("status").eq(SessionStatus.STARTING),
            values={":token": token},
        )

    def close(self, session: Session, status: SessionStatus, reason: str) -> None:
        """End the session and free its issue's lock. Run twice, the first ending stands."""
        self.update(
            session.session_id,
            "SET #status = :status, end_reason = :reason, ended_at = :now, expires_at = :expires"
            " REMOVE lifecycle_token, start_token, idle_ends_at",
            Attr("status").is_in(sorted(LIVE)),
            names={"#status": "status"},
            values={
                ":status": status,
                ":reason": reason,
                ":now": timestamp(),
                ":expires": expiry_after_end(),
            },
        )
        with suppress(self._conditional_failure):  # a later session holds the lock: it is not ours to release
            self._table.delete_item(
                Key=lock_key(session.repository_id, session.issue_number),
                ConditionExpression=Attr("pk").not_exists() | Attr("session_id").eq(session.session_id),
            )

    def update(
        self,
        session_id: str,
        expression: str,
        condition: Any,  # noqa: ANN401 - boto3's condition builder
        *,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> bool:
        """Change the session's row where the condition holds; returns False where it doesn't."""
        optional: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        try:
            uncontended(
                lambda: self._table.update_item(
                    Key=session_key(session_id),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    **optional,
                )
            )
        except self._conditional_failure:
            return False
        return True
