"""DynamoDB: the row of slots. Every session from its claim to its close is in it, running or waiting."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.table.contention import uncontended
from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key
from cloud_agent.domain.policy.slots import Occupancy, SlotLimits, Waiting
from cloud_agent.domain.session.session import SessionStatus, timestamp
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTENTIONS = 20  # tries against others who write the same rows at the same moment
_LONGEST_PAUSE_SECONDS = 0.1  # after a lost try, so that two who hinder each other do not meet again


@dataclass(frozen=True)
class Granted:
    """A session that has been given a slot, and the token of its wait, if it was waiting already."""

    session_id: str
    start_token: str | None


class Slots:
    """Hands out slots, in the order in which sessions came."""

    def __init__(self, table_name: str) -> None:
        self._table = clients.table(table_name)
        self._client = self._table.meta.client

    def ensure(self) -> None:
        """Guarantee the row with its maps, in which the state "Claim Session" enrols a session."""
        uncontended(
            lambda: self._table.update_item(
                Key=SLOTS_KEY,
                UpdateExpression="SET live = if_not_exists(live, :empty), waiting = if_not_exists(waiting, :none),"
                " version = if_not_exists(version, :zero)",
                ExpressionAttributeValues={":empty": {}, ":none": {}, ":zero": 0},
            )
        )

    def occupancy(self) -> Occupancy:
        """Who runs and who waits, read consistently."""
        item: dict[str, Any] = self._table.get_item(Key=SLOTS_KEY, ConsistentRead=True).get("Item", {})
        waiting = sorted(
            Waiting(str(entry["since"]), session_id, str(entry["repo"]), str(entry.get("not_before", "")))
            for session_id, entry in item.get("waiting", {}).items()
        )
        live = {session_id: str(repo) for session_id, repo in item.get("live", {}).items()}
        return Occupancy(live, tuple(waiting), int(item.get("version", 0)))

    def assign(self, limits: SlotLimits) -> Iterator[Granted]:
        """Give every free slot to whoever has waited longest: QUEUED → STARTING. Each that is yielded may go on.

        A session that is to end, or whose row is gone, is passed over; it leaves the queue when it is closed.
        """
        passed_over: set[str] = set()
        contentions = 0
        while contentions < _CONTENTIONS:
            occupancy = self.occupancy()
            candidate = occupancy.next_to_start(limits, timestamp(), passed_over)
            if candidate is None:
                return
            row = self._table.get_item(Key=session_key(candidate.session_id), ConsistentRead=True).get("Item", {})
            if row.get("status") != SessionStatus.QUEUED or "ending" in row:
                passed_over.add(candidate.session_id)
                continue
            token = str(row["start_token"]) if "start_token" in row else None
            if self._grant(candidate, occupancy.version, token):
                yield Granted(candidate.session_id, token)
            else:
                contentions += 1
                time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - it spreads tries, it hides nothing
        logger.warning("slots left to those who contend for them")

    def free(self, session_id: str) -> None:
        """Take a session out of the row, wherever it stands in it. Run twice, it is out once."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):  # freed before
            uncontended(
                lambda: self._table.update_item(
                    Key=SLOTS_KEY,
                    UpdateExpression="REMOVE live.#session, waiting.#session ADD version :one",
                    ConditionExpression="attribute_exists(live.#session) OR attribute_exists(waiting.#session)",
                    ExpressionAttributeNames={"#session": session_id},
                    ExpressionAttributeValues={":one": 1},
                )
            )

    def _grant(self, candidate: Waiting, version: int, token: str | None) -> bool:
        """Move the session from the queue to the slots, if both rows are still as read; False when they are not.

        The token is among what was read: an execution that begins its wait meanwhile must not be left unwoken.
        """
        same_wait = "attribute_not_exists(start_token)" if token is None else "start_token = :token"
        move = {
            "Key": SLOTS_KEY,
            "UpdateExpression": "SET live.#session = :repo REMOVE waiting.#session ADD version :one",
            "ConditionExpression": "version = :version",
            "ExpressionAttributeNames": {"#session": candidate.session_id},
            "ExpressionAttributeValues": {":repo": candidate.repo, ":one": 1, ":version": version},
        }
        start = {
            "Key": session_key(candidate.session_id),
            "UpdateExpression": "SET #status = :starting, started_at = :now REMOVE start_token",
            "ConditionExpression": f"#status = :queued AND attribute_not_exists(ending) AND {same_wait}",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {
                ":starting": SessionStatus.STARTING,
                ":queued": SessionStatus.QUEUED,
                ":now": timestamp(),
                **({} if token is None else {":token": token}),
            },
        }
        updates: Any = [{"Update": {"TableName": self._table.name} | update} for update in (move, start)]
        try:
            self._client.transact_write_items(TransactItems=updates)
        except self._client.exceptions.TransactionCanceledException:
            return False
        return True
