"""The program: what it keeps over a restart, and how it ends."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import json
import stat
from typing import Any


def test_a_restart_keeps_everything(fresh_server: Any) -> None:
    server, credentials = fresh_server, fresh_server.credentials
    token = server.installation_token()
    with server.client(credentials["token"]) as api:
        api.post("/orgs/acme/repos", json={"name": "app", "auto_init": True})
        api.post("/repos/acme/app/issues", json={"title": "t", "body": "b", "labels": ["x"]})
        api.post("/repos/acme/app/issues/1/comments", json={"body": "c"})
        api.post("/repos/acme/app/deployments", json={"ref": "main"})
    with server.client(server.app_jwt()) as app:
        app.patch("/app/hook/config", json={"url": "http://127.0.0.1:9/"})

    def everything() -> list[object]:
        paths = ("", "/issues", "/issues/1/comments", "/deployments", "/commits", "/labels", "/branches")
        with server.client(token) as api, server.client(server.app_jwt()) as app:
            return [*(api.get(f"/repos/acme/app{path}").json() for path in paths), app.get("/app/hook/config").json()]

    before = everything()
    assert server.stop() == 0
    server.start()
    assert before == everything()
    assert credentials == server.credentials


def test_credentials_are_readable_by_their_owner_alone(fresh_server: Any) -> None:
    assert stat.S_IMODE((fresh_server.data_dir / "credentials.json").stat().st_mode) == 0o600
    app = {"app_id", "client_id", "client_secret", "private_key_pem", "installation_id", "webhook_secret"}
    assert app | {"app_name", "token", "owner"} == set(fresh_server.credentials)
    assert fresh_server.credentials["owner"] == "acme"


def test_credentials_made_before_the_app_had_a_client_secret_and_a_name_are_completed(fresh_server: Any) -> None:
    before = fresh_server.credentials
    fresh_server.stop()
    kept = {name: value for name, value in before.items() if name not in {"client_secret", "app_name"}}
    (fresh_server.data_dir / "credentials.json").write_text(json.dumps(kept))
    fresh_server.start()
    after = fresh_server.credentials
    assert kept == {name: after[name] for name in kept}
    assert (len(after["client_secret"]), after["app_name"]) == (40, "Local App")
    fresh_server.stop()
    fresh_server.start()
    assert after == fresh_server.credentials
