"""How long GitHub lets texts be. Lengths are counted in Unicode code points."""

from __future__ import annotations

from local_github.errors import InvalidError

MAX_BODY_CHARACTERS = 65_536
MAX_TITLE_CHARACTERS = 256


def check_title(resource: str, title: str) -> None:
    """Refuse a blank title and one that is too long.

    Raises:
        InvalidError: as GitHub words it.
    """
    if not title.strip():
        raise InvalidError.of(resource, "missing_field", field="title")
    _check_length(resource, "title", title, MAX_TITLE_CHARACTERS)


def check_body(resource: str, body: str | None, *, required: bool = False) -> None:
    """Refuse a body that is too long, or blank where there must be one.

    Raises:
        InvalidError: as GitHub words it.
    """
    if required and not (body or "").strip():
        raise InvalidError.of(resource, "missing_field", field="body", message="body can't be blank")
    _check_length(resource, "body", body or "", MAX_BODY_CHARACTERS)


def _check_length(resource: str, name: str, text: str, maximum: int) -> None:
    if len(text) > maximum:
        message = f"{name} is too long (maximum is {maximum} characters)"
        raise InvalidError.of(resource, "custom", field=name, message=message)
