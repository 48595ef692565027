"""A session's branch in a repository of the local GitHub that uses Git LFS, and a person with GitHub's own client."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tests.kit.shared_branch import BRANCH, DirectUser

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import GitWorkspace

if TYPE_CHECKING:
    from pathlib import Path

    from local_github.testing import Server

needs_git_lfs = pytest.mark.skipif(not shutil.which("git-lfs"), reason="git-lfs isn't installed")
ATTRIBUTES = "*.png filter=lfs diff=lfs merge=lfs -text\n"


class LfsBranch:
    """A private repository of `acme`, with `main` and a session's branch that have the same commit."""

    def __init__(self, root: Path, server: Server) -> None:
        self._root, self._server = root, server
        self.name = f"lfs-{uuid.uuid4().hex[:8]}"
        with server.client(server.credentials["token"]) as api:
            api.post("/orgs/acme/repos", json={"name": self.name, "private": True}).raise_for_status()
        self.url = f"{server.url}/acme/{self.name}.git"
        self.person = root / "person"
        self.clone_as_a_person(self.person)
        self.commit({".gitattributes": ATTRIBUTES.encode()})
        self.git("push", "--quiet", "origin", "HEAD:main", f"HEAD:{BRANCH}")
        self.agent = root / "agent"
        self.agent.mkdir()

    @property
    def bare(self) -> Path:
        """The repository on the server's disk."""
        return self._server.data_dir / "repositories" / "acme" / f"{self.name}.git"

    def stored(self, oid: str) -> Path:
        """Where the server keeps an object."""
        return self.bare / "lfs" / "objects" / oid[:2] / oid[2:4] / oid

    def clone_as_a_person(self, folder: Path) -> None:
        """Clone with Git LFS at work."""
        url = self.url.replace("://", f"://x-access-token:{self._server.credentials['token']}@")
        self.git("clone", "--quiet", url, str(folder), at=self._root)
        self.git("lfs", "install", "--local", at=folder)

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git as a person with Git LFS would."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        command = ["git", "-c", "user.name=Pat", "-c", "user.email=p@e.x", *arguments]
        at = at or self.person
        return subprocess.run(
            command, cwd=at, check=True, capture_output=True, text=True, env=environment
        ).stdout.strip()

    def commit(self, files: dict[str, bytes], *, filtered: bool = True) -> None:
        """Have the person commit files, as one without Git LFS would unless `filtered`."""
        (self.person / ".git" / "info" / "attributes").write_text("" if filtered else "* !filter\n")
        for name, content in files.items():
            path = self.person / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")

    def person_pushes(self, files: dict[str, bytes], *, filtered: bool = True) -> None:
        """Have the person add a commit to the session's branch."""
        self.git("fetch", "--quiet", "origin", BRANCH)
        self.git("checkout", "--quiet", "-B", "session", "FETCH_HEAD")
        self.commit(files, filtered=filtered)
        self.git("push", "--quiet", "origin", f"HEAD:{BRANCH}")

    async def clone(self) -> GitWorkspace:
        """Return the session's workspace, whose token opens this repository alone."""
        branch = SessionBranch(self.url, BRANCH)
        tokens = GitTokens(self._token, self._token)
        return await GitWorkspace.clone(self.agent, DirectUser(self.agent, None), branch, tokens)

    async def _token(self) -> GitToken:
        permissions = {"contents": "write"}
        token = self._server.installation_token(repositories=[self.name], permissions=permissions)
        return GitToken(username="x-access-token", token=SecretStr(token))
