"""Git LFS: objects go through the batch API into the storage, and Git takes no pointer without its object."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"\x89PNG " * 1000
OID = hashlib.sha256(CONTENT).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(CONTENT)}\n"
_MEDIA_TYPE = {"Accept": "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json"}


def batch(server: Any, repo: str, operation: str, token: str = "", **about: Any) -> httpx.Response:
    url = f"{server.url}/{repo}.git/info/lfs/objects/batch"
    auth = httpx.BasicAuth("x-access-token", token) if token else None
    body = {"operation": operation, "transfers": ["basic"], "objects": [{"oid": OID, "size": len(CONTENT)} | about]}
    return httpx.post(url, json=body, headers=_MEDIA_TYPE, auth=auth)


def upload(actions: Any, content: bytes = CONTENT) -> None:
    sent = actions["upload"]
    httpx.put(sent["href"], content=content, headers=sent["header"]).raise_for_status()
    verified = {"oid": OID, "size": len(content)}
    httpx.post(actions["verify"]["href"], json=verified, headers=actions["verify"]["header"]).raise_for_status()


def test_what_was_uploaded_and_verified_is_downloaded(server: Any, repo: str) -> None:
    token = server.installation_token()
    (missing,) = batch(server, repo, "download", token).json()["objects"]
    assert missing["error"]["code"] == 404
    (wanted,) = batch(server, repo, "upload", token).json()["objects"]
    upload(wanted["actions"])
    assert "actions" not in batch(server, repo, "upload", token).json()["objects"][0]
    (there,) = batch(server, repo, "download").json()["objects"]  # public: without a credential
    href = there["actions"]["download"]["href"]
    assert httpx.get(href).content == CONTENT
    assert httpx.get(href, headers={"Authorization": "Basic eDp5"}).status_code == 400
    assert httpx.get(href.replace("signature=", "signature=0")).status_code == 403


def test_the_storage_takes_what_was_announced_alone(server: Any, repo: str) -> None:
    actions = batch(server, repo, "upload", server.installation_token()).json()["objects"][0]["actions"]
    href, header = actions["upload"]["href"], actions["upload"]["header"]
    assert httpx.put(href, content=CONTENT).status_code == 403
    assert httpx.put(href, content=CONTENT, headers=header | {"x-amz-content-sha256": "0" * 64}).status_code == 403
    assert httpx.put(href, content=b"something else", headers=header).status_code == 400
    verify = actions["verify"]
    verified = {"oid": OID, "size": len(CONTENT)}
    assert httpx.post(verify["href"], json=verified, headers=verify["header"]).status_code == 404
    httpx.put(href, content=CONTENT, headers=header).raise_for_status()
    assert httpx.post(verify["href"], json=verified | {"size": 1}, headers=verify["header"]).status_code == 422
    assert batch(server, repo, "download").json()["objects"][0]["error"]["code"] == 404


def test_the_batch_api_takes_the_credentials_of_git(server: Any, new_repository: Callable[..., str]) -> None:
    private, other = new_repository(private=True), new_repository(private=True)
    read_only = server.installation_token(permissions={"contents": "read"}, repositories=[private.split("/")[1]])
    nobody = batch(server, private, "download")
    assert (nobody.status_code, nobody.headers["LFS-Authenticate"]) == (401, 'Basic realm="GitHub"')
    assert batch(server, private, "download", read_only).status_code == 200
    assert batch(server, private, "upload", read_only).status_code == 403
    assert batch(server, other, "download", read_only).status_code == 404
    assert batch(server, private, "download", read_only, oid="../x").status_code == 422
    assert batch(server, private, "erase", read_only).status_code == 422


def test_a_pointer_without_its_object_is_declined(git: Any, server: Any, repo: str) -> None:
    token = server.installation_token()
    git.run("clone", "--quiet", git.url(repo, token), "work")
    (Path(git.folder) / "work" / "about.txt").write_text(f"A pointer has a line like\noid sha256:{'0' * 64}\n")
    git.run("add", "--all", folder="work")
    git.run("commit", "--quiet", "-m", "no pointer", folder="work")
    git.run("push", "--quiet", folder="work")
    (Path(git.folder) / "work" / "page.png").write_text(POINTER)
    git.run("add", "--all", folder="work")
    git.run("commit", "--quiet", "-m", "pointer", folder="work")
    said = git.run("push", folder="work", fails=True)
    assert "error: GH008: Your push referenced at least 1 unknown Git LFS object:" in said
    assert (OID in said, "(pre-receive hook declined)" in said) == (True, True)
    upload(batch(server, repo, "upload", token).json()["objects"][0]["actions"])
    git.run("push", "--quiet", folder="work")


@pytest.mark.skipif(not shutil.which("git-lfs"), reason="git-lfs isn't installed")
def test_git_lfs_itself_pushes_and_clones(git: Any, server: Any, repo: str) -> None:
    url = git.url(repo, server.installation_token())
    git.run("clone", "--quiet", url, "work")
    git.run("lfs", "install", "--local", folder="work")
    (Path(git.folder) / "work" / ".gitattributes").write_text("*.png filter=lfs diff=lfs merge=lfs -text\n")
    (Path(git.folder) / "work" / "page.png").write_bytes(CONTENT)
    git.run("add", "--all", folder="work")
    git.run("commit", "--quiet", "-m", "picture", folder="work")
    git.run("push", "--quiet", folder="work")
    assert git.run("show", "HEAD:page.png", folder="work") == POINTER.strip()
    git.run("clone", "--quiet", git.url(repo), "again")
    git.run("lfs", "install", "--local", folder="again")
    git.run("lfs", "pull", folder="again")
    assert (Path(git.folder) / "again" / "page.png").read_bytes() == CONTENT
