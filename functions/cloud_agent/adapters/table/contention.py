"""DynamoDB refuses a write to an item that somebody's transaction is just writing: it is tried again."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

# A review with ten comments comes as eleven deliveries at once, and each writes the session's row.
_TRIES = 20
_LONGEST_PAUSE_SECONDS = 0.05

T = TypeVar("T")


def uncontended(write: Callable[[], T]) -> T:
    """Return what the write returns once nobody else is in its way; every other refusal is raised as it comes.

    Raises:
        ClientError: it was refused, or somebody was in its way at each of 20 tries.
    """
    for _ in range(_TRIES - 1):
        try:
            return write()
        except ClientError as error:
            if not _is_contention(error):
                raise
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - spreads the tries, guards nothing
    return write()


def _is_contention(error: ClientError) -> bool:
    if error.response["Error"]["Code"] == "TransactionConflictException":
        return True
    reasons = {str(reason["Code"]) for reason in error.response.get("CancellationReasons", ())}
    return "TransactionConflict" in reasons and reasons <= {"None", "TransactionConflict"}
