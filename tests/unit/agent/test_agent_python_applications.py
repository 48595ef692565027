# ruff: noqa: E501 - a table reads best with a shape in few lines
"""Which file has a Python project's application, and from where its modules are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import ADDRESS, FLASK, UVICORN, VENV, lay_out

from cloud_agent_runner.preview.detection import dev_server_plan
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

API = "app = FastAPI()\n"
STREAMLIT = '--server.address "$HOST" --server.port "$PORT" --server.headless true --server.runOnSave true'


@pytest.mark.parametrize(
    ("files", "dev"),
    [
        ({"src/main.py": API}, f"PYTHONPATH=src {VENV} uvicorn main:app {UVICORN}"),
        ({"src/main.py": f"from config import URL\n{API}", "src/config.py": ""},
         f"PYTHONPATH=src {VENV} uvicorn main:app {UVICORN}"),
        ({"src/main.py": f"from src.config import URL\n{API}", "src/config.py": ""}, f"{VENV} uvicorn src.main:app {UVICORN}"),
        ({"src/main.py": f"from .config import URL\n{API}", "src/config.py": ""}, f"{VENV} uvicorn src.main:app {UVICORN}"),
        ({"src/shop/main.py": f"from . import db\n{API}"}, f"PYTHONPATH=src {VENV} uvicorn shop.main:app {UVICORN}"),
        ({"src/shop/main.py": f"from src.shop import db\n{API}"}, f"{VENV} uvicorn src.shop.main:app {UVICORN}"),
        ({"backend/main.py": f"from database import engine\n{API}", "backend/database.py": ""},
         f"cd backend && {VENV} uvicorn main:app {UVICORN}"),
        ({"backend/main.py": f"from routers import pages\n{API}", "backend/routers/pages.py": ""},
         f"cd backend && {VENV} uvicorn main:app {UVICORN}"),
        ({"shop/main.py": f"from shop.database import engine\n{API}", "shop/database.py": ""},
         f"{VENV} uvicorn shop.main:app {UVICORN}"),
        ({"shop/main.py": f"import logging\nimport redis\n{API}", "shop/logging.py": "", "shop/redis.py": ""},
         f"{VENV} uvicorn shop.main:app {UVICORN}"),
    ],
)  # fmt: skip
def test_an_application_is_imported_by_the_names_that_it_has_for_its_modules(
    tmp_path: Path, files: dict[str, str], dev: str
) -> None:
    lay_out(tmp_path, {"requirements.txt": "fastapi\nredis\n", **files})
    assert dev_server_plan(tmp_path, RepositoryConfig()).dev == dev


@pytest.mark.parametrize(
    ("package", "files", "dev"),
    [
        ("streamlit", {"dashboard.py": "import streamlit as st\n"}, f"{VENV} streamlit run dashboard.py {STREAMLIT}"),
        ("streamlit", {"one.py": "import streamlit\n", "two.py": "import streamlit\n", "README.md": "    streamlit run two.py"},
         f"{VENV} streamlit run two.py {STREAMLIT}"),
        ("dash", {"index.py": "import dash\n\napp = dash.Dash(__name__)\n"}, f"{VENV} index"),
        ("gradio", {"webui.py": "import gradio as gr\n", "test_webui.py": "import gradio\n"},
         f'GRADIO_SERVER_NAME="$HOST" GRADIO_SERVER_PORT="$PORT" {VENV} webui'),
        ("flask", {"application.py": "application = Flask(__name__)\n"},
         f"FLASK_APP=application FLASK_DEBUG=1 {VENV} flask {FLASK}"),
        ("fastapi", {"app/main.py": "def create_app() -> FastAPI:\n"}, f"{VENV} uvicorn app.main:create_app --factory {UVICORN}"),
        ("fastapi", {"run.py": "    uvicorn.run('shop.server:app', port=80)\n"}, f"{VENV} uvicorn shop.server:app {UVICORN}"),
        ("sanic", {"server.py": "app = Sanic('shop')\n"}, f"{VENV} sanic server:app --dev {ADDRESS}"),
        ("chainlit", {"chat.py": "import chainlit as cl\n"}, f"{VENV} chainlit run chat.py --watch --headless {ADDRESS}"),
        ("marimo", {"notebook.py": "app = marimo.App()\n"}, f"{VENV} marimo run notebook.py --watch --headless {ADDRESS}"),
        ("panel", {"app.py": "import panel as pn\n"}, f'{VENV} panel serve app.py --autoreload --address "$HOST" --port "$PORT" --allow-websocket-origin \'*\''),
        ("python-fasthtml", {"main.py": "from fasthtml.common import *\n"}, f"{VENV} main"),
        ("aiohttp", {"main.py": "async def handle(request): ...\nweb.run_app(app)\n"}, f"{VENV} main"),
    ],
)  # fmt: skip
def test_an_application_is_found_by_what_its_file_has(
    tmp_path: Path, package: str, files: dict[str, str], dev: str
) -> None:
    lay_out(tmp_path, {"requirements.txt": f"{package}\n", **files})
    assert dev_server_plan(tmp_path, RepositoryConfig()).dev == dev


@pytest.mark.parametrize(("head", "install"), [
    ("sdk: gradio\nsdk_version: 4.44.0\napp_file: demo.py\n", "pip install gradio==4.44.0"),
    ("sdk: gradio\napp_file: demo.py\n", "pip install gradio"),
])  # fmt: skip
def test_a_space_has_what_its_readme_says(tmp_path: Path, head: str, install: str) -> None:
    lay_out(
        tmp_path,
        {"README.md": f"---\ntitle: Demo\n{head}---\n", "demo.py": "import gradio\n", "other.py": "import gradio"},
    )
    plan = dev_server_plan(tmp_path, RepositoryConfig())
    assert plan.dev.endswith(f"{VENV} demo")
    assert f"{VENV} {install}" in (plan.install or "")
