"""What a form sends, once it is sure that one of our pages sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from local_github.errors import BadRequestError, ForbiddenError

if TYPE_CHECKING:
    from starlette.requests import Request

_LARGEST_FORM_BYTES = 1 << 20
Form = dict[str, str]


def check_origin(request: Request) -> None:
    """Refuse what another site's page sends through the person's browser.

    Raises:
        ForbiddenError: the browser does not say that the form is one of ours.
    """
    base_url: str = request.app.state.site.base_url
    ours = {base_url, base_url.replace("localhost", "127.0.0.1")}
    origin = request.headers.get("origin")
    from_us = origin in ours if origin else request.headers.get("sec-fetch-site") == "same-origin"
    if not from_us:
        raise ForbiddenError("This form was not sent from these pages.")


async def read_form(request: Request) -> Form:
    """Return the fields of a form, the first of those that have one name.

    Raises:
        BadRequestError: it is larger than 1 MB, or is none.
    """
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _LARGEST_FORM_BYTES:
            raise BadRequestError("The form is too large.")
    try:
        fields = parse_qs(content.decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise BadRequestError("The form cannot be read.") from error
    return {name: values[0] for name, values in fields.items()}
