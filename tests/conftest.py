"""For all tests: how Hypothesis, botocore, httpx and colors behave, what GitHub shows, and who runs which folder."""

from __future__ import annotations

import functools
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import httpx
import pytest
from hypothesis import settings
from tests import nightly
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # xdist has no types

import cloud_agent_runner  # noqa: F401 - for tests that import Claude's SDK before any module of the agent

if TYPE_CHECKING:
    import ssl
    import warnings

_ON_GITHUB = "GITHUB_ACTIONS" in os.environ
# CI sets some of them; typer and rich then color what they print, although nobody looks at it on a terminal.
for _name in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE", "GITHUB_ACTIONS"):
    os.environ.pop(_name, None)

# An example that takes long on a busy machine is no failure.
settings.register_profile("untimed", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=4_000)  # `make fuzz`
settings.load_profile("untimed")

# Each session of botocore parses the same megabytes of endpoints and service models; a worker's tests make hundreds.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_make_ssl_context = httpx.create_ssl_context


@functools.cache
def _default_ssl_context(*_certificates: str | None, trust_env: bool) -> ssl.SSLContext:
    return _make_ssl_context(trust_env=trust_env)


def _shared_ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:  # noqa: ANN401, FBT001, FBT002 - as httpx has it
    """Read the certificate authorities once; httpx does for every client, also for one of plain http:// addresses."""
    if verify is True and cert is None:
        return _default_ssl_context(*map(os.environ.get, _CERTIFICATES), trust_env=trust_env)
    return _make_ssl_context(verify, cert, trust_env)


# The name that its transports imported.
httpx._transports.default.create_ssl_context = _shared_ssl_context  # type: ignore[attr-defined]  # noqa: SLF001

# Each takes minutes and begins first, so that no worker has one to itself while the others are done.
LONGEST = (
    "tests/integration/agent",
    "tests/e2e",
    "tests/e2e/agent",
    "tests/infrastructure",
    "tests/unit/agent",
    "tests/integration/proxy",
    "tests/integration/steps",
    "tests/contract",
    "tests/unit/functions",
)


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """All tests of a folder on one worker: what is expensive to set up is set up once, and addresses do not collide."""

    def _split_scope(self, nodeid: str) -> str:
        return folder_of(nodeid)


def folder_of(nodeid: str) -> str:
    """The folder of a test's file."""
    return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:  # noqa: ANN401 - xdist's, untyped
    """Share out by folder, whatever the command line says."""
    return FolderScheduling(config, log)


def pytest_collection() -> None:
    """Leave what is imported and collected alone: it all stays, and looking through it again takes seconds."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make, and no further."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before `-m` is looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest folders. Whoever names a file or a test has all of it run."""
    if all(Path(argument).is_dir() for argument in config.args):
        nightly.mark(items, nightly.listed())
    order = {folder: place for place, folder in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(folder_of(item.nodeid), len(LONGEST)))


def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Have GitHub show what tests themselves warn of: nobody reads the log of a run that succeeds."""
    if _ON_GITHUB and warning_message.category is UserWarning and "/tests/" in warning_message.filename:
        # "Workflow commands for GitHub Actions: Setting a warning message". On a line of its own.
        print(f"\n::warning::{warning_message.message}", flush=True)  # noqa: T201 - its standard output is what GitHub reads
