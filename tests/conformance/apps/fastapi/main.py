from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import FastAPI, Form, Request, WebSocket
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key="of a test")

GREETING = "before"
HEAD = '<!doctype html><link rel="icon" href="data:,"><title>Conformance</title>'
PAGE = """
<h1 id="greeting">{greeting}</h1>
<p id="user">{user}</p>
<form id="message-form" method="post" action="/send"><input name="message"><button>Send</button></form>
<form id="login-form" method="post" action="/login"><input name="user"><button>Sign in</button></form>
<script>window.socket = new WebSocket(`${{location.protocol.replace('http', 'ws')}}//${{location.host}}/ws`)</script>
"""


@app.get("/", response_class=HTMLResponse)
async def index(request: Request) -> str:
    return HEAD + PAGE.format(greeting=GREETING, user=escape(request.session.get("user", "")))


@app.post("/send", response_class=HTMLResponse)
async def send(message: Annotated[str, Form()]) -> str:
    return f'{HEAD}<p id="received">{escape(message)}</p>'


@app.post("/login")
async def login(request: Request, user: Annotated[str, Form()]) -> RedirectResponse:
    request.session["user"] = user
    return RedirectResponse(request.url_for("index"), status_code=303)


@app.get("/old")
async def old(request: Request) -> RedirectResponse:
    return RedirectResponse(request.url_for("new"))


@app.get("/new", response_class=HTMLResponse)
async def new() -> str:
    return f'{HEAD}<p id="new">new</p>'


@app.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)
