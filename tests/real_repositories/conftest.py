"""Real repositories and starters, behind the real proxy and in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conformance.conftest import aws_endpoint, browser, metadata_url, start_proxy, table
from tests.integration.agent.conftest import GitHub, control_plane, model_url, serve, start_agent
from tests.real_repositories import report
from tests.real_repositories.starters import STARTERS, WITHOUT_PAGE, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

# Fixtures of the proxy's own tests and of the agent's.
__all__ = [
    "aws_endpoint",
    "browser",
    "control_plane",
    "metadata_url",
    "model_url",
    "serve",
    "start_agent",
    "start_proxy",
    "table",
]
CACHE = Path(__file__).parents[2] / ".real-repositories"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take folders of repositories, each of which is tried."""
    parser.addoption("--repository", action="append", default=[], help="a folder with a repository; may be repeated")
    parser.addoption("--up-seconds", type=float, default=600, help="how long a repository may take to come up")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try each repository that was given and each starter; where no page is looked at, those without one as well."""
    if "subject" in metafunc.fixturenames:
        given = [Subject(Path(one).name, folder=Path(one)) for one in metafunc.config.getoption("--repository")]
        without_page = () if "browser" in metafunc.fixturenames else WITHOUT_PAGE
        metafunc.parametrize("subject", [*given, *STARTERS, *without_page], ids=lambda subject: subject.name)


@pytest.fixture
def laid_out(subject: Subject) -> Iterator[Path]:
    """A folder with the subject as `app`, and a home. What was downloaded into the home stays from run to run."""
    folder = CACHE / "".join(letter if letter.isalnum() else "-" for letter in subject.name)
    shutil.rmtree(folder / "app", ignore_errors=True)
    (folder / "home").mkdir(parents=True, exist_ok=True)
    subject.lay_out(folder / "app")
    yield folder
    shutil.rmtree(folder / "app" / "node_modules", ignore_errors=True)


@pytest.fixture
def github(subject: Subject, tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub whose session branch holds the subject, for an agent whose home is new."""
    subject.lay_out(tmp_path / "app")
    yield GitHub(tmp_path / "github", tmp_path / "app")
    shutil.rmtree(tmp_path, ignore_errors=True)


def pytest_sessionfinish() -> None:
    """Print the table."""
    report.show()
