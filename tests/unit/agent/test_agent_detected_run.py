"""What is detected is run for real, where it takes nothing that has to be installed."""

from __future__ import annotations

import asyncio
import json
import shutil
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
    from pathlib import Path

PYTHON = """
import http.server, os, sys, urllib.request
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        source = os.environ.get("API")
        self.wfile.write(urllib.request.urlopen(source).read() if source else b"page")
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Page).serve_forever()
"""
NODE = "require('http').createServer((_, to) => to.end('page')).listen(process.env.PORT, process.env.HOST)"


@pytest.mark.parametrize(
    "files",
    [
        {"index.html": "page"},
        {"web/package.json": json.dumps({"scripts": {"dev": "node --watch server.js"}}), "web/server.js": NODE},
        {"Makefile": "run:\n\t@echo starting\n\tpython3 server.py\n", "server.py": PYTHON},
        {"Procfile": "web: python3 server.py\n", "server.py": PYTHON},
        {"Dockerfile": 'FROM python\nEXPOSE 80\nCMD ["python3", "server.py"]\n', "server.py": PYTHON},
        {"Procfile.dev": "api: cd api && python3 -m http.server --bind $HOST $PORT\n"
         "web: API=http://127.0.0.1:{port} python3 server.py\n", "server.py": PYTHON, "api/index.html": "page"},
    ],
    ids=lambda files: next(iter(files)),
)  # fmt: skip
async def test_what_is_detected_shows_its_page(tmp_path: Path, files: dict[str, str]) -> None:
    if "web/server.js" in files and not shutil.which("npm"):
        pytest.skip("npm isn't installed")
    api_port = free_port()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("{port}", str(api_port)))
    ports = {"api": api_port} if "Procfile.dev" in files else {}
    plan = dev_server_plan(tmp_path, RepositoryConfig(ports=ports))
    address = ListenAddress("127.0.44.80", "127.0.44.80", free_port())
    dev_server = DevServer(plan, WorkspaceUser(tmp_path, None), tmp_path, address, {}, notices=Notices())
    running = asyncio.create_task(dev_server.keep_running())
    try:
        await dev_server.wait_until_ready(limit_seconds=30)
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(dev_server.url)).text == "page"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
