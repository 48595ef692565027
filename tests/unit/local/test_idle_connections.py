"""No server of this machine closes a connection that a client has just sent its next request on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn

import local_github.__main__
import scripted_model.__main__

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.mark.parametrize(
    ("server", "options"), [(local_github.__main__, ["--data-dir", "{}"]), (scripted_model.__main__, ["--port", "1"])]
)
def test_a_server_leaves_a_connection_open_far_longer_than_its_clients_do(
    server: ModuleType, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _app, **settings: served.update(settings))
    monkeypatch.setattr(sys, "argv", ["server", *(option.format(tmp_path) for option in options)])

    server.main()

    clients = httpx.Limits().keepalive_expiry
    assert clients is not None
    assert served["timeout_keep_alive"] > 10 * clients
