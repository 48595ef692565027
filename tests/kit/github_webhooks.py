"""What GitHub's own description, as githubkit has models of it, says of a webhook's payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from githubkit_schemas.latest import models

if TYPE_CHECKING:
    from collections.abc import Mapping


def require_webhook(event: str, payload: Mapping[str, Any]) -> None:
    """Return if GitHub could send this payload.

    The one model of the event's action is asked, by its name: to have githubkit choose loads those of all its actions,
    which takes seconds.

    Raises:
        AttributeError: GitHub has no such event, or the event no such action.
        pydantic.ValidationError: the payload isn't as described.
    """
    words = (*event.split("_"), *payload.get("action", "").split("_"))
    getattr(models, "Webhook" + "".join(map(str.capitalize, words))).model_validate(payload)
