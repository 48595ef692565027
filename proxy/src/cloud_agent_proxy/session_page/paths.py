"""The addresses of a session's page, below `/.uat/` on the session's host; access is as for the session itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.access.gate import AccessUnknownError, Grant
from cloud_agent_proxy.access.return_path import return_path
from cloud_agent_proxy.responses import origin_of, page_response, rendered_response, with_cookies
from cloud_agent_proxy.session_page.conversation import Conversation, Known
from cloud_agent_proxy.session_page.objects import BucketUnavailableError
from cloud_agent_proxy.session_page.streams import TooManyStreamsError
from cloud_agent_proxy.session_page.view import view_of
from cloud_agent_proxy.sessions_table import TableUnavailableError, TranscriptLength
from cloud_agent_proxy.sign_in import SIGN_IN_HOST

if TYPE_CHECKING:
    from starlette.requests import Request

    from cloud_agent_proxy.access.mode import AccessMode
    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.pages import Page
    from cloud_agent_proxy.session import Session
    from cloud_agent_proxy.session_page.conversation import Entry
    from cloud_agent_proxy.session_page.renderer import SessionPageRenderer
    from cloud_agent_proxy.session_page.streams import SessionRows, Streams
    from cloud_agent_proxy.session_page.transcripts import Transcripts
    from cloud_agent_proxy.session_page.view import PageView
    from cloud_agent_proxy.status import Status

ENTRIES_ON_A_PAGE = 200
_PATIENCE_SECONDS = 5  # HAProxy waits for ten
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_NOTICE = "The transcript can't be read right now. Reload this page in a minute."
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


Show = Callable[["Request", "Session", Grant], Awaitable[Response]]


class SessionPagePaths:
    """Shows sessions to those who may see them, and sends others who come with a browser to where they sign in."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the page, once each
        self,
        access: AccessMode,
        directory: SessionDirectory,
        status: Status,
        rows: SessionRows,
        transcripts: Transcripts,
        streams: Streams,
        renderer: SessionPageRenderer,
        page_renderer: PageRenderer,
    ) -> None:
        self._gate, self._sign_in, self._writing_url = access.gate, access.sign_in, access.writing_url
        self._has_index = access.visitors is not None
        self._directory = directory
        self._status = status
        self._rows = rows
        self._transcripts = transcripts
        self._streams = streams
        self._renderer = renderer
        self._page_renderer = page_renderer
        self.routes = [
            self._route("", self._page),
            self._route("entries", self._entries),
            self._route("stage", self._stage),
            self._route("events", self._events),
            self._route("transcript.jsonl", self._download),
            self._route("pictures/{digest}.png", self._picture),
        ]

    def _route(self, path: str, show: Show) -> Route:
        async def respond(request: Request) -> Response:
            session_id = request.path_params["session_id"]
            try:
                grant = await self._gate.admit(session_id, request.cookies)
                if grant is None:  # nothing is looked up, and nothing about the session is said
                    return self._signed_out(request)
                return with_cookies(await self._shown(request, show, grant), grant.cookies)
            except AccessUnknownError:
                return page_response(self._page_renderer, request, access_pages.access_unchecked())
            except TableUnavailableError:
                return page_response(self._page_renderer, request, pages.table_unavailable(session_id))

        return Route(f"/own/{{session_id}}/.uat/{path}", respond)

    async def _shown(self, request: Request, show: Show, grant: Grant) -> Response:
        session = await self._directory.look_up(request.path_params["session_id"])
        if session is None:
            return page_response(self._page_renderer, request, pages.unknown_session())
        return await show(request, session, grant)

    def _signed_out(self, request: Request) -> Response:
        navigates = request.headers.get("sec-fetch-mode") == "navigate"
        if self._sign_in is not None and navigates and request.method in {"GET", "HEAD"}:
            return self._sign_in(request)
        return page_response(self._page_renderer, request, self._gate.signed_out)

    async def in_previews_place(self, request: Request, session: Session) -> Response:
        """Show the page where the visitor has asked for the preview, and there's none: until there is one."""
        return await self._rendered(request, session, opens_preview=True)

    async def _page(self, request: Request, session: Session, _: Grant) -> Response:
        if wanted := request.query_params.get("return_to"):
            return await self._rendered(request, session, opens_preview=True, return_to=return_path(wanted))
        return await self._rendered(request, session, before=_number(request.query_params.get("before")))

    async def _stage(self, _request: Request, session: Session, _grant: Grant) -> Response:
        """Show what stands in the preview's place once it has been tried whether its dev server responds."""
        page = await self._status.page(session.id)
        view = view_of(session, Conversation(), not_up=None if page.live else page)
        return rendered_response(self._renderer.stage(view))

    async def _rendered(
        self,
        request: Request,
        session: Session,
        *,
        before: int | None = None,
        opens_preview: bool = False,
        return_to: str = "",
    ) -> Response:
        """Show the page; where it stands in for an address of the preview, the dev server is still to be tried."""
        conversation, notice = await self._conversation(session)
        entries, earlier = _page_of(conversation, before)
        not_up = pages.not_responding(session) if return_to else None
        rendered = self._renderer.page(
            self._view_of(request, session, conversation, not_up),
            entries,
            known=conversation.known,
            earlier=earlier,
            dropped=conversation.dropped,
            page_before=before is not None,
            notice=notice,
            opens_preview=opens_preview,
            return_to=return_to,
        )
        return rendered_response(rendered)

    async def _entries(self, request: Request, session: Session, _: Grant) -> Response:
        conversation, _notice = await self._conversation(session)
        before = _number(request.query_params.get("before"))
        return rendered_response(self._renderer.fragment(*_page_of(conversation, before)))

    async def _events(self, request: Request, session: Session, grant: Grant) -> Response:
        """Keep an open page up to date; the browser resumes where the stream broke off."""
        known = Known.read(request.headers.get("last-event-id") or request.query_params.get("after") or "")
        try:
            stream = self._streams.open(session, known, grant.expires_at)
        except TooManyStreamsError:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "30"})
        return StreamingResponse(stream, headers=_NO_SNIFFING, media_type="text/event-stream")

    async def _download(self, _request: Request, session: Session, _grant: Grant) -> Response:
        lines = self._transcripts.lines(session.id, await self._length(session.id))
        return StreamingResponse(lines, headers=_NO_SNIFFING, media_type="application/jsonl")

    async def _picture(self, request: Request, session: Session, _: Grant) -> Response:
        digest = request.path_params["digest"]
        try:
            picture = await self._transcripts.picture(session.id, digest) if _SHA256.fullmatch(digest) else None
        except BucketUnavailableError:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        if picture is None:
            return page_response(self._page_renderer, request, pages.unknown_path())
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=86400, immutable",
        }
        return Response(picture, headers=headers, media_type="image/png")

    def _view_of(self, request: Request, session: Session, conversation: Conversation, not_up: Page | None) -> PageView:
        origin = origin_of(request)
        return view_of(
            session,
            conversation,
            self._streams.viewers(session.id),
            writing_url=self._writing_url(session.id, origin) if self._writing_url else "",
            index_url=origin.replace(f"//{session.id}.", f"//{SIGN_IN_HOST}.", 1) + "/" if self._has_index else "",
            not_up=not_up,
        )

    async def _conversation(self, session: Session) -> tuple[Conversation, str]:
        try:
            length = await self._length(session.id)
            return await self._transcripts.read(session.id, length, _PATIENCE_SECONDS), ""
        except (BucketUnavailableError, TableUnavailableError):
            return self._transcripts.known(session.id), _NOTICE

    async def _length(self, session_id: str) -> TranscriptLength:
        lengths = await self._rows.transcript_lengths([session_id])
        return lengths.get(session_id, TranscriptLength())


def _page_of(conversation: Conversation, before: int | None) -> tuple[list[Entry], int | None]:
    """Return the entries of one page, and before which number there are earlier ones."""
    entries = conversation.before(before or conversation.last_seq + 1, ENTRIES_ON_A_PAGE)
    first = next((entry.seq for entry in entries if not entry.of_workflow), None)
    return entries, first if first is not None and conversation.has_before(first) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and _NUMBER.fullmatch(text) else None
