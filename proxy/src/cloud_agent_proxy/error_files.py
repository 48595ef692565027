"""What HAProxy answers by itself: responses in files, which it reads as it starts."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_proxy import answers

if TYPE_CHECKING:
    from cloud_agent_proxy.answers import Answer
    from cloud_agent_proxy.pages import Pages

_REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_URI_TOO_LONG,
)
_COUNTED_OVER_SECONDS = 10  # by haproxy.cfg, in its tables `askers` and `demands`
_TOLD_IN_BOTH_FORMS = {
    "access_unchecked": answers.access_unchecked(),
    "not_answering": answers.not_answering(),
    "not_looked_up": answers.table_unavailable(session_id=""),
    "other_session": answers.other_session(),
    "too_many_requests": answers.too_many_requests(_COUNTED_OVER_SECONDS),
}


def write_error_files(pages: Pages, signed_out: Answer) -> None:
    """Write every file that haproxy.cfg names as an `errorfile` into the working directory.

    Refusals are pages only: HAProxy gives most of them before it could know what the visitor accepts.

    Args:
        pages: Give each its form.
        signed_out: What is said to one without access.

    Raises:
        OSError: a file could not be written.
    """
    for status in _REFUSALS:
        page = pages.html(answers.refused(status))
        # Who sends such a request may not agree with us about where it ends: nothing after it is read.
        closing = replace(page, headers=page.headers | {"Connection": "close"})
        Path(f"refused.{status.value}.http").write_bytes(closing.as_http())
    for name, answer in {**_TOLD_IN_BOTH_FORMS, "signed_out": signed_out}.items():
        Path(f"{name}.html.http").write_bytes(pages.html(answer).as_http())
        Path(f"{name}.json.http").write_bytes(pages.json(answer).as_http())
    change = pages.html(answers.not_answering(), repeatable=False)
    Path("not_answering_change.html.http").write_bytes(change.as_http())
