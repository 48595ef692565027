"""A branch that a person and Claude share: GitHub's repository, the person's clone, and the session's workspace."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

from pydantic import SecretStr

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import GitWorkspace
from cloud_agent_runner.workspace.user import Processes, WorkspaceUser

BRANCH = "claude/42"
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("contributor.gitconfig")),
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_EDITOR": "true",
}


# The same change, committed again by the same person in the same second, would be the very same commit.
_SECONDS = itertools.count(1_760_000_000)


def git(*arguments: str, at: Path) -> str:
    """Run git as an ordinary contributor would, a second after the last time."""
    environment = _ENVIRONMENT | {"GIT_COMMITTER_DATE": f"{next(_SECONDS)} +0000"}
    done = subprocess.run(["git", *arguments], cwd=at, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


class DirectUser(WorkspaceUser):
    """Runs its commands without a process between, which takes half the time."""

    def command(self, name: str, *command: str, directory: Path, processes: Processes = Processes.OURS) -> list[str]:
        """Return the arguments that run `command` in `directory`."""
        del name, processes
        return ["env", "-C", str(directory), *command]


class SharedBranch:
    """`main` with a page of three lines, and a session's branch one commit ahead of it."""

    def __init__(self, root: Path) -> None:
        self.github, self.person, self._root = root / "github.git", root / "person", root
        self.default, self.other_default, self.renamed = "main", "trunk", "renamed"
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.github), at=root)
        git("clone", "--quiet", str(self.github), str(self.person), at=root)
        git("checkout", "--quiet", "-B", "main", at=self.person)
        self.commit(self.person, "page.txt", "one\ntwo\nthree\n", "first")
        git("push", "--quiet", "origin", "main", at=self.person)
        git("checkout", "--quiet", "-b", BRANCH, at=self.person)
        git("commit", "--quiet", "--allow-empty", "--message", "start", at=self.person)
        git("push", "--quiet", "origin", BRANCH, at=self.person)

    async def clone(self, name: str = "agent", *, base: str = "", allow_workflow_changes: bool = False) -> GitWorkspace:
        """Return the workspace of a session, which has a container by this name to itself."""

        async def token() -> GitToken:
            return GitToken(username="x-access-token", token=SecretStr("t"))

        branch = SessionBranch(str(self.github), BRANCH, allow_workflow_changes, base)
        home = self._root / name
        home.mkdir()
        return await GitWorkspace.clone(home, DirectUser(home, None), branch, GitTokens(token, token))

    def refuse(self, words: str) -> Path:
        """Have GitHub refuse every push with these words, until the file that this returns is gone."""
        hook = self.github / "hooks/pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho 'error: {words}' >&2\nexit 1\n")
        hook.chmod(0o755)
        return hook

    @staticmethod
    def commit(at: Path, name: str, content: str, message: str = "") -> str:
        """Commit a file, and return the commit."""
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        git("add", "--all", at=at)
        git("commit", "--quiet", "--message", message or f"change {name}", at=at)
        return git("rev-parse", "HEAD", at=at)

    def pull(self) -> None:
        """Have the person look at the branch as it is."""
        git("fetch", "--quiet", "--prune", "origin", at=self.person)
        git("checkout", "--quiet", BRANCH, at=self.person)
        git("reset", "--quiet", "--hard", f"origin/{BRANCH}", at=self.person)

    def push(self) -> None:
        """Have the person make the branch what the clone has, whatever it was."""
        git("push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}", at=self.person)

    def person_commits(self, name: str, content: str) -> str:
        """Have the person add a commit to the branch."""
        self.pull()
        commit = self.commit(self.person, name, content)
        self.push()
        return commit

    def person_removes(self, count: int = 1) -> None:
        """Have the person take commits off the branch."""
        self.pull()
        git("reset", "--quiet", "--hard", f"HEAD~{count}", at=self.person)
        self.push()

    def main_commits(self, name: str, content: str) -> str:
        """Have the person add a commit to the default branch."""
        git("fetch", "--quiet", "origin", at=self.person)
        git("checkout", "--quiet", "--detach", f"origin/{self.default}", at=self.person)
        commit = self.commit(self.person, name, content)
        git("push", "--quiet", "origin", f"HEAD:{self.default}", at=self.person)
        return commit

    def rename_repository(self) -> None:
        """Have the repository go by another name. GitHub redirects from the old one ("Renaming a repository")."""
        there = self.github.resolve()
        new = there.with_name(f"{there.stem}-renamed.git")
        there.rename(new)
        self.github.unlink(missing_ok=True)
        self.github.symlink_to(new)

    def rename_default(self) -> None:
        """Have the default branch go by its other name."""
        git("branch", "--move", self.default, self.other_default, at=self.github)
        self.default, self.other_default = self.other_default, self.default

    def rename_branch(self) -> None:
        """Have the branch go by another name, or by its own again. Git isn't redirected ("Renaming a branch")."""
        names = (BRANCH, self.renamed) if self.exists() else (self.renamed, BRANCH)
        git("branch", "--move", "--force", *names, at=self.github)

    def delete_branch(self) -> None:
        """Have the branch gone."""
        git("branch", "--quiet", "-D", BRANCH, at=self.github)

    def exists(self) -> bool:
        """Return whether the branch is on GitHub."""
        return f"refs/heads/{BRANCH}" in self._refs()

    def other_refs(self) -> dict[str, str]:
        """Return what GitHub has besides the branch."""
        return {ref: sha for ref, sha in self._refs().items() if ref != f"refs/heads/{BRANCH}"}

    def head(self) -> str:
        """Return the branch's commit on GitHub."""
        return self._refs()[f"refs/heads/{BRANCH}"]

    def _refs(self) -> dict[str, str]:
        """Read every ref from its file: a process each time would be most of a test's time."""
        packed = self.github / "packed-refs"
        lines = packed.read_text().splitlines() if packed.exists() else []
        refs = {ref: sha for sha, _, ref in (line.partition(" ") for line in lines if line[0] not in "#^")}
        files = (path for path in (self.github / "refs").rglob("*") if path.is_file())
        return refs | {str(path.relative_to(self.github)): path.read_text().strip() for path in files}

    def files(self) -> set[str]:
        """Return the names of the branch's files on GitHub."""
        return set(git("ls-tree", "-r", "--name-only", BRANCH, at=self.github).split())

    def show(self, name: str) -> str:
        """Return a file of the branch on GitHub."""
        return git("show", f"{BRANCH}:{name}", at=self.github)

    def subjects(self) -> list[str]:
        """Return the first lines of the branch's messages on GitHub, newest first."""
        return git("log", "--format=%s", BRANCH, at=self.github).splitlines()
