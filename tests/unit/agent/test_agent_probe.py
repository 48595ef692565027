"""What a dev server responds with is read as a visitor would see it."""

from __future__ import annotations

import time

import pytest
from tests.kit.http_server import HttpServer, NoResponse, Request, Response, serve_http

from cloud_agent_runner.preview import probe as probe_module
from cloud_agent_runner.preview.probe import NoResponseError, PageResponse, probe
from cloud_agent_runner.workspace.command_output import Mask

HTML = {"Content-Type": "text/html; charset=utf-8"}


async def _probe(server: HttpServer, *secrets: str) -> PageResponse:
    return await probe(server.url, "/", server.port, Mask(secrets))


async def test_a_page_is_asked_for_as_visitors_do() -> None:
    with serve_http(Response(200, b"<h1>Hello</h1>", HTML)) as server:
        assert await _probe(server) == PageResponse(200, "Hello", is_html=True)
        assert server.requests[0].headers["Host"] == f"localhost:{server.port}"


async def test_a_body_without_a_type_is_html_where_it_looks_like_it() -> None:
    with serve_http(lambda request: Response(200, b"<h1>Hello</h1>" if request.path == "/" else b"Hello")) as server:
        assert (await _probe(server)).is_html
        assert not (await probe(server.url, "/text", server.port, Mask([]))).is_html


@pytest.mark.parametrize(
    ("kind", "body", "excerpt"),
    [
        (
            "text/html",
            """<title>DisallowedHost at /</title><style>h1 { top: 1 }</style><script>if (1 < 2) { x = '<p>' }</script>
            <!-- <p>debug --><h1>DisallowedHost <small>at /</small></h1>\n\n<p>Invalid &lt;host&gt;""",
            "DisallowedHost at /\nDisallowedHost at /\nInvalid <host>",
        ),
        ("text/plain", "no such\ttable:  post\n\n\n  at line 3\n", "no such table: post\nat line 3"),
        ("application/json", '{"message": "Not Found"}', '{"message": "Not Found"}'),
        ("image/png", "\x89PNG", ""),
        ("text/html", "<script>" * 4000, ""),
        ("text/html", "<!--" * 8000, ""),
        ("text/html", "<script" * 4000, ""),
        ("text/plain", "x" * 100_000, "x" * 300),
        ("text/plain", "line\n" * 100, "\n".join(["line"] * 8)),
    ],
)
async def test_an_error_is_told_by_the_first_lines_of_its_text(kind: str, body: str, excerpt: str) -> None:
    with serve_http(Response(500, body.encode(), {"Content-Type": kind})) as server:
        began = time.monotonic()
        response = await _probe(server)
        assert (response.status, response.is_page, response.excerpt) == (500, False, excerpt)
        assert time.monotonic() - began < 2


async def test_no_secret_of_the_repositorys_is_in_what_is_told() -> None:
    with serve_http(Response(500, b"<p>key: <b>sk-&lt;1&gt;-live</b>", HTML)) as server:
        assert (await _probe(server, "sk-<1>-live")).excerpt == "key: ***"


async def test_a_redirect_to_the_dev_server_itself_is_followed() -> None:
    def respond(request: Request) -> Response:
        place = {"/": "/catalog/", "/catalog/": f"http://localhost:{server.port}/catalog/all?page=1"}.get(request.path)
        return Response(302, headers={"Location": place}) if place else Response(500, b"no such table", HTML)

    with serve_http(respond) as server:
        assert await _probe(server) == PageResponse(500, "no such table", is_html=True)
        assert [request.path for request in server.requests] == ["/", "/catalog/", "/catalog/all?page=1"]


@pytest.mark.parametrize("place", ["https://login.example.com/", "//127.0.0.1:1/"])
async def test_no_redirect_leads_anywhere_else(place: str) -> None:
    with serve_http(Response(302, headers={"Location": place})) as server:
        assert await _probe(server) == PageResponse(302)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["localhost"], (200, "localhost")),
        (["127.0.0.1"], (200, "127.0.0.1")),
        (["127.0.0.1", "localhost"], (200, "localhost")),
        (["example.com"], (400, "localhost")),
    ],
)
async def test_a_dev_server_is_called_by_the_local_name_that_it_takes(
    names: list[str], expected: tuple[int, str]
) -> None:
    def respond(request: Request) -> Response:
        return Response(200 if request.headers["Host"].partition(":")[0] in names else 400)

    with serve_http(respond) as server:
        response = await _probe(server)
        assert (response.status, response.name) == expected


@pytest.mark.parametrize(
    ("markup", "source"),
    [
        ('<script type="module" src="http://localhost:5173/@vite/client"></script>', "http://localhost:5173"),
        ("<LINK rel=stylesheet href=http://[::1]:9000/a.css>", "http://[::1]:9000"),
        ("<a href='http://localhost:5173/'></a><script src=/a.js></script><p>http://localhost:5173/", ""),
        ('<script src="http://localhost:{port}/a.js"></script>', ""),
        ('<script src="https://cdn.example.com:5173/a.js"></script>', ""),
    ],
)
async def test_a_page_whose_scripts_only_its_own_machine_reaches_is_told(markup: str, source: str) -> None:
    def respond(request: Request) -> Response:
        return Response(200, markup.replace("{port}", request.headers["Host"].partition(":")[2]).encode(), HTML)

    with serve_http(respond) as server:
        response = await _probe(server)
    objection = f"it loads scripts or styles from {source}, which visitors can't reach" if source else ""
    assert (response.is_page, response.source, response.objection) == (True, source, objection)


async def test_a_circle_of_redirects_ends() -> None:
    with serve_http(Response(302, headers={"Location": "/"})) as server:
        assert await _probe(server) == PageResponse(302)
        assert len(server.requests) == 3


async def test_what_is_compressed_unasked_is_not_unpacked() -> None:
    with serve_http(Response(500, b"\x1f\x8b", {**HTML, "Content-Encoding": "gzip"})) as server:
        assert (await _probe(server)).excerpt == ""


@pytest.mark.parametrize(("nothing", "reason"), [(NoResponse.HANG, "within 0 s"), (NoResponse.CLOSE, "RemoteProtocol")])
async def test_no_response_is_told_apart(nothing: NoResponse, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "_SECONDS", 0.2)
    with serve_http(nothing) as server, pytest.raises(NoResponseError, match=reason):
        await _probe(server)
