"""What is detected is run for real, where it takes nothing that has to be installed."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.kit.ports import free_port

from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview.detection import dev_server_plan
from cloud_agent_runner.preview.dev_server import DevServer
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PYTHON = """
import http.server, os, sys, urllib.request
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        source = os.environ.get("API")  # without which there's no response: it may start later
        page = urllib.request.urlopen(source).read() if source else b"page"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Page).serve_forever()
"""
NODE = "require('http').createServer((_, to) => to.end('page')).listen(process.env.PORT, process.env.HOST)"

# An API as most are, and a page as Vite's is: with an address and a port where they're given some, else with their own.
API = """
setTimeout(() => require('http').createServer((_, to) => {
  to.writeHead(404, {'Content-Type': 'text/html'}); to.end('Cannot GET /')
}).listen(process.env.PORT || {port}), {delay})
"""
PAGE = """#!/usr/bin/env node
const given = (name) => process.argv[process.argv.indexOf(name) + 1]
const [host, port] = process.argv.includes('--port') ? [given('--host'), given('--port')] : ['localhost', '{page_port}']
require('http').createServer((_, to) => {
  to.writeHead(200, {'Content-Type': 'text/html'}); to.end('page')
}).listen(port, host, () => console.log(`http://localhost:${port}/`))
"""
CONCURRENTLY = '#!/bin/sh\nfor command; do sh -c "$command" & done\nwait\n'
ONE_SCRIPT = {
    "package.json": json.dumps({"scripts": {"dev": "concurrently 'node server.js' vite"}}),
    "server.js": API,
    "node_modules/.bin/concurrently": CONCURRENTLY,
    "node_modules/.bin/vite": PAGE,
}
TWO_FOLDERS = {
    "frontend/package.json": json.dumps({"scripts": {"dev": "vite"}}),
    "frontend/node_modules/.bin/vite": PAGE,
    "backend/package.json": json.dumps({"scripts": {"dev": "node --watch server.js"}}),
    "backend/server.js": API,
}

# What stands in for Vite builds by a copy: packages can't be had here.
VITE = """#!/bin/sh
mkdir -p static
while cp src/app.js static/app.js; do [ "$*" = "build" ] && exit; [ "$*" = "build --watch" ] && sleep 0.1 || exit; done
"""
FLASK = "from flask import Flask\n\napp = Flask(__name__)\napp.get('/')(page)\n"
FLASK_BESIDE = f"from pages import page\n{FLASK}"
FLASK_WITH_VITE = {
    "app.py": f"page = lambda: 'page'\n{FLASK}",
    "requirements.txt": "flask\n",
    "package.json": json.dumps({"scripts": {"dev": "vite"}}),
    "node_modules/.bin/vite": VITE,
    "src/app.js": "one",
}


@pytest.mark.parametrize(
    "files",
    [
        {"index.html": "page"},
        {"src/app.py": FLASK_BESIDE, "src/pages.py": "page = lambda: 'page'\n", "requirements.txt": "flask\n"},
        {"api/app.py": FLASK_BESIDE, "api/pages.py": "page = lambda: 'page'\n", "requirements.txt": "flask\n"},
        {"web/package.json": json.dumps({"scripts": {"dev": "node --watch server.js"}}), "web/server.js": NODE},
        {"package.json": json.dumps({"scripts": {"build": "mkdir -p dist && cp server.js dist", "start":
         "docker compose up -d && node dist/server.js"}}), "server.js": NODE},
        {"Makefile": "run:\n\t@echo starting\n\tpython3 server.py\n", "server.py": PYTHON},
        {"Procfile": "web: python3 server.py\n", "server.py": PYTHON},
        {"Dockerfile": 'FROM python\nEXPOSE 80\nCMD ["python3", "server.py"]\n', "server.py": PYTHON},
        {"Procfile.dev": "api: cd api && python3 -m http.server --bind $HOST $PORT\n"
         "web: API=http://127.0.0.1:{port} python3 server.py\n", "server.py": PYTHON, "api/index.html": "page"},
    ],
    ids=lambda files: next(iter(files)),
)  # fmt: skip
async def test_what_is_detected_shows_its_page(tmp_path: Path, files: dict[str, str]) -> None:
    if "server.js" in str(files) and not shutil.which("npm"):
        pytest.skip("npm isn't installed")
    api_port = free_port()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("{port}", str(api_port)))
    (tmp_path / ".venv").symlink_to(sys.prefix)  # where Flask is
    ports = {"api": api_port} if "Procfile.dev" in files else {}
    async with _running(tmp_path, RepositoryConfig(ports=ports)) as url:
        assert await _body(url) == "page"


async def test_a_server_is_shown_with_what_vite_builds_for_it(tmp_path: Path) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm isn't installed")
    for name, text in FLASK_WITH_VITE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "node_modules/.bin/vite").chmod(0o755)
    (tmp_path / ".venv").symlink_to(sys.prefix)  # where Flask is
    async with _running(tmp_path, RepositoryConfig()) as url:
        assert await _body(url) == "page"
        await _until_body(f"{url}/static/app.js", "one")
        (tmp_path / "src/app.js").write_text("two")
        await _until_body(f"{url}/static/app.js", "two")


@pytest.mark.parametrize("files", [ONE_SCRIPT, TWO_FOLDERS], ids=["one script", "two folders"])
@pytest.mark.parametrize("delay", [0, 3000], ids=["API first", "page first"])
async def test_an_api_keeps_the_port_that_visitors_come_to_and_the_page_is_shown(
    tmp_path: Path, files: dict[str, str], delay: int
) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm isn't installed")
    port, page_port = free_port(), free_port()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        values = {"{port}": str(port), "{page_port}": str(page_port), "{delay}": str(delay)}
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)  # noqa: PLW2901 - the same text, filled in
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    address = ListenAddress("127.0.44.80", "127.0.44.80", port, second_port=free_port())
    async with _running(tmp_path, RepositoryConfig(), address) as url:
        assert (await _body(url), url) == ("page", f"http://127.0.44.80:{address.second_port}")
        await _until_body(f"http://127.0.0.1:{port}", "Cannot GET /")
        assert await _body(url) == "page"


@asynccontextmanager
async def _running(
    work_tree: Path, config: RepositoryConfig, address: ListenAddress | None = None
) -> AsyncIterator[str]:
    """Run what is detected; yield its address once it responds."""
    plan = dev_server_plan(work_tree, config)
    address = address or ListenAddress("127.0.44.80", "127.0.44.80", free_port())
    dev_server = DevServer(plan, WorkspaceUser(work_tree, None), work_tree, address, {}, notices=Notices())
    running = asyncio.create_task(dev_server.keep_running())
    try:
        await dev_server.wait_until_ready(limit_seconds=60)
        yield dev_server.url
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _body(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(url)).text


async def _until_body(url: str, body: str) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(httpx.TransportError):
                if await _body(url) == body:
                    return
            await asyncio.sleep(0.1)
