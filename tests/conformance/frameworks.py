"""The dev servers of the suite, and how a visitor does the same thing in each."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selenium.webdriver.common.keys import Keys

from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conformance.page import Page

MESSAGE = "grüße & <b>tags</b>"


@dataclass(frozen=True)
class Framework:
    """A dev server whose application, in `apps/<folder>`, speaks the suite's own few pages.

    They are: a greeting in `edited`, a form that posts a message, a form that logs in, a redirect from /old to /new.
    `not_applicable` names, by check, why there is nothing to check.
    """

    name: str
    title: str
    package: str
    edited: str = ""
    reloads_by_itself: bool = False
    config: RepositoryConfig = field(default_factory=RepositoryConfig)
    environment: Mapping[str, str] = field(default_factory=dict)
    not_applicable: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return self.name

    def version(self, home: Path, app: Path) -> str:
        """Return the installed version of `package`."""
        manifest = app / "node_modules" / self.package / "package.json"
        if manifest.exists():
            return str(json.loads(manifest.read_text())["version"])
        (site_packages,) = home.glob(".venv/lib/python3*/site-packages")
        (found,) = importlib.metadata.distributions(name=self.package, path=[str(site_packages)])
        return found.version

    def arrive(self, page: Page) -> None:
        """Open the page that the checks begin on, and wait until it is there."""
        page.open("/")
        page.wait_for_text("#greeting", "before")

    def greeting_becomes(self, page: Page, greeting: str) -> None:
        if self.reloads_by_itself:
            page.wait_for_text("#greeting", greeting)
        else:
            page.reload_until_text("#greeting", greeting)

    def send(self, page: Page) -> None:
        page.submit("#message-form", message=MESSAGE)
        page.wait_for_text("#received", MESSAGE)

    def log_in(self, page: Page) -> None:
        page.submit("#login-form", user="ada")
        self.is_logged_in(page)

    def is_logged_in(self, page: Page) -> None:
        page.wait_for_text("#user", "ada")

    def exchange(self, page: Page) -> None:
        """Send something through the WebSocket that comes back, where the framework's is not for itself alone."""


class HotReloading(Framework):
    def arrive(self, page: Page) -> None:
        super().arrive(page)
        page.wait_for_socket()


class Nuxt(HotReloading):
    def arrive(self, page: Page) -> None:
        """Also wait until the page's modules have run: Vite drops an edit of one that has not, though it is shown."""
        super().arrive(page)
        page.wait_until_true("document.querySelector('#__nuxt').__vue_app__ !== undefined")


class Django(Framework):
    def log_in(self, page: Page) -> None:
        page.open("/admin/login/?next=/")
        page.submit("#login-form", username="ada", password="of a test")
        self.is_logged_in(page)


class FastApi(Framework):
    def exchange(self, page: Page) -> None:
        assert (
            page.run_async("window.socket.onmessage = event => arguments[0](event.data); window.socket.send('ping')")
            == "ping"
        )


class Streamlit(Framework):
    def arrive(self, page: Page) -> None:
        page.open("/")
        page.wait_for_text("h1", "before")

    def greeting_becomes(self, page: Page, greeting: str) -> None:
        page.reload_until_text("h1", greeting)

    def send(self, page: Page) -> None:
        """Upload: the one request of a Streamlit page that its own CSRF protection covers."""
        page.upload("input[type=file]", "message.txt", MESSAGE)
        page.wait_for_text("[data-testid=stMain]", f"received {MESSAGE}", within=True)

    def exchange(self, page: Page) -> None:
        page.click("[data-testid=stButton] button")
        page.wait_for_text("[data-testid=stMain]", "pressed", within=True)


class Jupyter(Framework):
    def arrive(self, page: Page) -> None:
        page.open("/lab/tree/note.ipynb")
        if page.has("#password_input"):
            self.send(page)
        self.is_logged_in(page)
        page.wait_for_socket("/channels")  # of the notebook's kernel, which starts later

    def send(self, page: Page) -> None:
        page.open("/logout")
        page.open("/login?next=/lab/tree/note.ipynb")
        page.submit("form[action*=login]", password="of a test")
        self.is_logged_in(page)

    def log_in(self, page: Page) -> None:
        self.send(page)

    def is_logged_in(self, page: Page) -> None:
        page.wait_for(".jp-Notebook .jp-CodeCell")

    def exchange(self, page: Page) -> None:
        page.press(".jp-Notebook .jp-CodeCell .cm-content", Keys.SHIFT + Keys.ENTER)
        page.wait_for_text(".jp-OutputArea-output", "42", within=True)


class Style(Framework):
    """What judges requests as a framework does that cannot be installed here; it is not that framework."""

    @property
    def folder(self) -> str:
        return "styles"

    def version(self, home: Path, app: Path) -> str:  # noqa: ARG002 - nothing is installed
        return "imitated"


_STATIC = "Vite's dev server answers no form: what it serves is static"
_OWN_AUTHENTICATION = "it has no login of its own unless an identity provider is configured"
_NO_SOCKET = "its dev server has no WebSocket"
_ONLY_JUDGES = "of the framework, only how it judges a request's headers is imitated"
_IN_THE_VIRTUAL_ENVIRONMENT = (
    'python3 -m venv "$HOME/.venv" && "$HOME/.venv/bin/python" -m pip install -r requirements.txt'
)

FRAMEWORKS = [
    HotReloading(
        "vite",
        "Vite, React",
        "vite",
        edited="src/App.jsx",
        reloads_by_itself=True,
        not_applicable={
            "test_a_form_posts": _STATIC,
            "test_a_login_holds_over_a_reload": _STATIC,
            "test_a_redirect_stays_on_the_public_host": _STATIC,
        },
    ),
    HotReloading(
        "next",
        "Next.js, app router, Server Actions",
        "next",
        edited="app/page.js",
        reloads_by_itself=True,
        environment={"NEXT_TELEMETRY_DISABLED": "1"},
    ),
    Nuxt(
        "nuxt",
        "Nuxt",
        "nuxt",
        edited="app/app.vue",
        reloads_by_itself=True,
    ),
    Django(
        "django",
        "Django, runserver",
        "django",
        edited="mysite/views.py",
        config=RepositoryConfig(
            install=f"{_IN_THE_VIRTUAL_ENVIRONMENT} && python manage.py migrate"
            " && (python manage.py createsuperuser --noinput || true)"
        ),
        environment={
            "DJANGO_SUPERUSER_USERNAME": "ada",
            "DJANGO_SUPERUSER_PASSWORD": "of a test",
            "DJANGO_SUPERUSER_EMAIL": "ada@example.test",
        },
        not_applicable={"test_a_websocket_lives": _NO_SOCKET},
    ),
    Framework(
        "flask",
        "Flask, debug",
        "flask",
        edited="app.py",
        not_applicable={"test_a_websocket_lives": _NO_SOCKET},
    ),
    FastApi("fastapi", "FastAPI, uvicorn --reload", "fastapi", edited="main.py"),
    Streamlit(
        "streamlit",
        "Streamlit",
        "streamlit",
        edited="app.py",
        environment={"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"},
        not_applicable={
            "test_a_login_holds_over_a_reload": _OWN_AUTHENTICATION,
            "test_a_redirect_stays_on_the_public_host": "an application cannot redirect",
        },
    ),
    Jupyter(
        "jupyter",
        "JupyterLab",
        "jupyterlab",
        config=RepositoryConfig(
            install=_IN_THE_VIRTUAL_ENVIRONMENT,
            dev='jupyter lab --no-browser --allow-root --ip "$HOST" --port "$PORT"',
        ),
        environment={"JUPYTER_TOKEN": "of a test"},
        not_applicable={
            "test_an_edit_shows": "it runs notebooks, not an application that is edited",
            "test_a_redirect_stays_on_the_public_host": "its redirects are paths",
        },
    ),
    Style(
        "rails-style",
        "Rails style: hosts, origins, redirects",
        package="",
        config=RepositoryConfig(dev="python3 rails.py"),
        not_applicable={"test_an_edit_shows": _ONLY_JUDGES, "test_a_websocket_lives": _ONLY_JUDGES},
    ),
]
