"""The suite's few pages, for what judges requests as a framework does, without being that framework."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from html import escape
from http.cookies import SimpleCookie
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment

Judge = Callable[[WSGIEnvironment], str]
Answer = tuple[str, list[tuple[str, str]], str]

HEAD = '<!doctype html><link rel="icon" href="data:,"><title>Conformance</title>'
PAGE = """
<h1 id="greeting">before</h1>
<p id="user">{user}</p>
<form id="message-form" method="post" action="/send"><input name="message"><button>Send</button></form>
<form id="login-form" method="post" action="/login"><input name="user"><button>Sign in</button></form>
"""


def serve(base_url: Judge, refusal: Judge) -> None:
    """Serve the pages of a site that believes to be at `base_url`; what there is a `refusal` for gets it as a 403."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        refused = refusal(environ)
        status, headers, body = ("403 Forbidden", [], escape(refused)) if refused else answer(environ, base_url)
        start_response(status, [("Content-Type", "text/html; charset=utf-8"), *headers])
        return [f"{HEAD}{body}".encode()]

    make_server(os.environ["HOST"], int(os.environ["PORT"]), application).serve_forever()


def answer(environ: WSGIEnvironment, base_url: Judge) -> Answer:
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/":
            cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("user")
            return "200 OK", [], PAGE.format(user=escape(cookie.value) if cookie else "")
        case "POST", "/send":
            return "200 OK", [], f'<p id="received">{escape(form(environ)["message"])}</p>'
        case "POST", "/login":
            cookie = f"user={form(environ)['user']}; HttpOnly"
            return "303 See Other", [("Location", f"{base_url(environ)}/"), ("Set-Cookie", cookie)], ""
        case "GET", "/old":
            return "302 Found", [("Location", f"{base_url(environ)}/new")], ""
        case "GET", "/new":
            return "200 OK", [], '<p id="new">new</p>'
    return "404 Not Found", [], "There is no such page."


def form(environ: WSGIEnvironment) -> dict[str, str]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    return {name: values[0] for name, values in parse_qs(body).items()}
