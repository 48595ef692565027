"""The sessions table: read by dynamodb:GetItem, BatchGetItem and Query; dynamodb:UpdateItem for two attributes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from aiodynamo.errors import ConditionalCheckFailed, ItemNotFound
from aiodynamo.expressions import F, HashKey, ProjectionExpression
from aiodynamo.models import BatchGetRequest, ReturnValues
from pydantic import ValidationError

from cloud_agent_proxy.dynamodb import FAILURES
from cloud_agent_proxy.session import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiodynamo.client import Client

logger = logging.getLogger(__name__)

_KEYS_PER_READ = 100  # BatchGetItem's own limit
_ATTRIBUTES = [str(field.validation_alias or name) for name, field in Session.model_fields.items() if name != "id"]
_READ_ATTRIBUTES: ProjectionExpression = reduce(and_, map(F, _ATTRIBUTES), F("pk"))
_SESSION, _TRANSCRIPT, _SLOTS = "SESSION", "TRANSCRIPT", "SLOTS"
_BY_START = "SessionsByStart"  # an index of template.yaml's: of a kind of rows, those that began last
_READ_LENGTHS: ProjectionExpression = F("pk") & F("agent_batches") & F("workflow_batches")
_Items = dict[str, "Mapping[str, Any] | None"]


class TableUnavailableError(Exception):
    """The sessions table could not be read or written."""


@dataclass(frozen=True)
class TranscriptLength:
    """How many objects each stream of a session's transcript has."""

    agent: int = 0
    workflow: int = 0


@dataclass(frozen=True)
class Occupancy:
    """The ids of the sessions that have a slot, and of those that wait for one, the first of the queue first."""

    running: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class SessionsTable:
    """Reads sessions, and notes that they are visited and watched."""

    def __init__(self, name: str, dynamodb: Client) -> None:
        self._name = name
        self._dynamodb = dynamodb

    async def get(self, session_id: str) -> Session | None:
        """Return the session as last written, None when there is none of that id.

        Raises:
            TableUnavailableError: the table did not respond within two attempts of 2 s each.
        """
        try:
            item = await self._dynamodb.get_item(
                self._name, _key(session_id), projection=_READ_ATTRIBUTES, consistent_read=True
            )
        except ItemNotFound:
            return None
        except FAILURES as error:
            raise self._unavailable("GetItem", error) from error
        return _session(item)

    async def get_many(self, session_ids: Sequence[str]) -> dict[str, Session | None]:
        """Return the sessions as last written, None for those that do not exist.

        An id that the table left unanswered (throttling) is missing from the result.

        Raises:
            TableUnavailableError: the table did not respond within two attempts of 2 s each.
        """
        items = await self._get_items(session_ids, _SESSION, _READ_ATTRIBUTES)
        return {session_id: _session(item) if item else None for session_id, item in items.items()}

    async def transcript_lengths(self, session_ids: Sequence[str]) -> dict[str, TranscriptLength]:
        """Return how many objects the sessions' transcripts have; an id that the table left unanswered is missing.

        Raises:
            TableUnavailableError: the table did not respond within two attempts of 2 s each.
        """
        items = await self._get_items(session_ids, _TRANSCRIPT, _READ_LENGTHS)
        return {session_id: _length(item or {}) for session_id, item in items.items()}

    async def newest(self, most: int) -> list[str]:
        """Return the ids of the sessions that began last, the newest first. One of the last second may be missing.

        Raises:
            TableUnavailableError: the table did not respond within two attempts of 2 s each.
        """
        try:
            page = await self._dynamodb.query_single_page(
                self._name, HashKey("sk", _SESSION), index=_BY_START, scan_forward=False, limit=most, projection=F("pk")
            )
        except FAILURES as error:
            raise self._unavailable("Query", error) from error
        return [_id_in(item) for item in page.items]

    async def occupancy(self) -> Occupancy:
        """Return who has a slot, and who waits.

        Raises:
            TableUnavailableError: the table did not respond within two attempts of 2 s each.
        """
        try:
            item = await self._dynamodb.get_item(self._name, {"pk": _SLOTS, "sk": _SLOTS}, consistent_read=True)
        except ItemNotFound:  # no session has been asked for yet
            return Occupancy()
        except FAILURES as error:
            raise self._unavailable("GetItem", error) from error
        waiting: dict[str, dict[str, str]] = item.get("waiting", {})
        in_order = sorted(waiting, key=lambda session_id: (waiting[session_id]["since"], session_id))
        return Occupancy(tuple(item.get("live", {})), tuple(in_order))

    async def note_visit(self, session_id: str, visited_at: datetime) -> None:
        """Write `last_visited_at` on the session's row, if the session is running and no later visit is known.

        Every proxy writes it, each what it has seen itself; the latest stands.

        Raises:
            TableUnavailableError: the table did not take it within two attempts of 2 s each.
        """
        await self._note(session_id, "last_visited_at", visited_at)

    async def note_watching(self, session_id: str, watched_at: datetime) -> None:
        """Write `last_watched_at`, when somebody had the session's page open, as `note_visit` does its attribute.

        Raises:
            TableUnavailableError: the table did not take it within two attempts of 2 s each.
        """
        await self._note(session_id, "last_watched_at", watched_at)

    async def _note(self, session_id: str, attribute: str, at: datetime) -> None:
        noted, moment = F(attribute), _timestamp(at)
        running = F("status").equals(SessionStatus.RUNNING.value)
        try:
            await self._dynamodb.update_item(
                self._name,
                _key(session_id),
                noted.set(moment),
                condition=running & (noted.does_not_exist() | noted.lt(moment)),
                return_values=ReturnValues.none,  # the task's role may not see more of the row
            )
        except ConditionalCheckFailed:
            logger.debug("out of date", extra={"session_id": session_id, "attribute": attribute})
        except FAILURES as error:
            raise self._unavailable("UpdateItem", error) from error

    async def _get_items(self, session_ids: Sequence[str], sort_key: str, read: ProjectionExpression) -> _Items:
        found: _Items = {}
        for first in range(0, len(session_ids), _KEYS_PER_READ):
            found |= await self._get_batch(session_ids[first : first + _KEYS_PER_READ], sort_key, read)
        return found

    async def _get_batch(self, session_ids: Sequence[str], sort_key: str, read: ProjectionExpression) -> _Items:
        keys = [_key(session_id, sort_key) for session_id in session_ids]
        request = BatchGetRequest(keys, read, consistent_read=True)
        try:
            response = await self._dynamodb.batch_get({self._name: request})
        except FAILURES as error:
            raise self._unavailable("BatchGetItem", error) from error
        unanswered = {_id_in(key) for key in response.unprocessed_keys.get(self._name, [])}
        found: _Items = {id_: None for id_ in session_ids if id_ not in unanswered}
        return found | {_id_in(item): item for item in response.items.get(self._name, [])}

    def _unavailable(self, action: str, error: Exception) -> TableUnavailableError:
        return TableUnavailableError(f"{action} on table {self._name}: {error!r}")


def _session(item: Mapping[str, Any]) -> Session | None:
    session_id = _id_in(item)
    try:
        return Session.model_validate({**item, "id": session_id})
    except ValidationError as error:
        logger.error(  # noqa: TRY400 - a traceback into the validator tells nothing more
            "session row not understood",
            extra={"session_id": session_id, "reason": error.errors(include_url=False)},
        )
        return None


def _length(item: Mapping[str, Any]) -> TranscriptLength:
    return TranscriptLength(int(item.get("agent_batches", 0)), int(item.get("workflow_batches", 0)))


def _key(session_id: str, sort_key: str = _SESSION) -> dict[str, str]:
    return {"pk": f"SESSION#{session_id}", "sk": sort_key}


def _timestamp(moment: datetime) -> str:
    """Return it in UTC to the millisecond, as every attribute of the table that is a time; such texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _id_in(item: Mapping[str, Any]) -> str:
    return str(item["pk"]).removeprefix("SESSION#")
