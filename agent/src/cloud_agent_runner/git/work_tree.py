"""Claude's copy of the repository. All that is done there is done as the workspace's user."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.git.build_output import CONTENT, DESCRIPTIONS, build_output
from cloud_agent_runner.git.command import GitError, output_as, remove_as, run_as, upload_pack, workspace_git, write_as
from cloud_agent_runner.git.credit import CLAUDE
from cloud_agent_runner.git.never_committed import NEVER_COMMITTED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from cloud_agent_runner.git.credit import Identity
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

_WORK = "refs/session/work"
_LOCK = "index.lock"
_REPOSITORYS_OWN_RULES = "--exclude-per-directory=.gitignore"
# GitHub takes no more in one push ("GitHub Docs: Troubleshooting the 2 GiB push limit").
MOST_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class TreeStatus:
    """Which commit is checked out, by the workspace's word, and of which branch; empty if it's none's.

    `unmerged` says whether files have conflicts that aren't resolved, `is_changed` whether tracked files differ from
    the commit, and `is_clean` that nothing does.
    """

    commit: str
    branch: str
    unmerged: bool
    is_changed: bool
    is_clean: bool


class WorkTree:
    """A repository at `path` that borrows the objects of the supervisor's.

    Every method raises GitError where git fails.
    """

    def __init__(self, path: Path, user: WorkspaceUser, history: History) -> None:
        self.path = path
        self._user = user
        self._history = history
        self._shallow = path / ".git" / "shallow"
        self._uncommitted: set[str] = set()
        self._made_by_install: list[str] = []
        self._left_out = ""

    async def create(self, branch: str, head: str) -> None:
        """Make it, with `branch` at `head` checked out, no remote and no credentials."""
        initial = f"--initial-branch={branch}"
        init = ("init", "--quiet", "--template=", initial, str(self.path))
        await workspace_git(self._user, *init, at=self._user.home)
        objects = self._history.repository / "objects"
        await self.write("objects/info/alternates", f"{objects}\n")
        if self._history.shallow.exists():
            await self.write("shallow", self._history.shallow.read_text())
        await self._set_author(CLAUDE)
        await self.git("reset", "--quiet", "--hard", head)
        await self._leave_out()

    async def git(self, *arguments: str, given: str | None = None) -> str:
        """Run git in it."""
        return await workspace_git(self._user, *arguments, at=self.path, given=given)

    async def set_author(self, author: Identity) -> None:
        """Have commits be by this author from now on, unless what Claude made of the configuration is in the way."""
        try:
            await self._set_author(author)
        except GitError as error:
            logger.warning("author not set", extra={"reason": str(error)})

    async def _set_author(self, author: Identity) -> None:
        await self.git("config", "user.name", author.name)
        await self.git("config", "user.email", author.email)

    async def run(self, *command: str, given: str | None = None, about: str = "") -> str:
        """Run a program of ours in it."""
        return await run_as(self._user, *command, at=self.path, given=given, about=about)

    def content(self, path: str) -> AsyncGenerator[bytes]:
        """Yield what a file in it has, as the workspace's user sees it."""
        return output_as(self._user, "/bin/cat", "--", path, at=self.path)

    async def write(self, path: str, text: str) -> None:
        """Write one of the files by which Git is configured, below `.git`."""
        await write_as(self._user, self.path / ".git" / path, text)

    async def head(self) -> str:
        """Fetch its commits into the supervisor's repository, and return the one that is checked out.

        The other side of the fetch is the workspace's user, as all that runs there. What comes is kept as one pack, of
        which nothing is left if it's more than GitHub takes in one push: git says then that it is `TOO_LARGE`.
        """
        other_side = f"--upload-pack={upload_pack(self._user, self.path)}"
        fetch = ("-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--no-tags", other_side)
        try:
            await self._history.git(*fetch, str(self.path), f"+HEAD:{_WORK}", largest_file_bytes=MOST_BYTES)
        except GitError:
            self._history.discard_unfinished()
            raise
        return await self._history.sha(_WORK)

    async def status(self) -> TreeStatus:
        """Return what is checked out, and whether anything is left to commit ("man 1 git-status": Porcelain v2)."""
        options = ("--porcelain=v2", "--branch", "--ignore-submodules=dirty", "--untracked-files=normal")
        lines = (await self.git("status", *options)).splitlines()
        headers = {name: value for _, name, value in (line.split(" ", 2) for line in lines if line.startswith("# "))}
        kinds = {line[0] for line in lines} - {"#"}
        branch = headers.get("branch.head", "")
        return TreeStatus(
            commit=headers.get("branch.oid", ""),
            branch="" if branch == "(detached)" else branch,
            unmerged="u" in kinds,
            is_changed=bool(kinds - {"?"}),
            is_clean=not kinds,
        )

    async def commit_the_rest(self) -> None:
        """Commit what is neither committed nor ignored. What isn't committed inside a submodule can't be."""
        await self._leave_out()  # there may be a build since the session began
        await self._between_turns("add", "--all")
        await self._commit_added()

    async def commit_what_can_be(self) -> None:
        """Commit as much of the rest as can be: no turn will see to what is in the way."""
        try:
            await self._between_turns("add", "--all", "--ignore-errors")
        except GitError as error:
            logger.warning("not everything added", extra={"reason": str(error)})
        await self._commit_added()

    async def _commit_added(self) -> None:
        await self._keep_whole()
        if await self.git("diff", "--cached", "--name-only"):
            message = "chore: commit changes that the last turn left uncommitted"
            await self.git("commit", "--quiet", "--no-verify", "--message", message)

    async def _keep_whole(self) -> None:
        """Leave files alone that the repository has whole though .gitattributes assigns them to Git LFS.

        Git adds those as pointers as soon as it looks at them again, though nobody has changed anything.
        """
        listing = await self.git("diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=M")
        words = listing.split("\0")
        before = {path: about.split()[2] for about, path in zip(words[::2], words[1::2], strict=False)}
        paths = [path for path in await self.assigned_to_lfs(list(before)) if "\n" not in path]
        if not paths:
            return
        files = await self.git("hash-object", "--no-filters", "--stdin-paths", given="\n".join(paths))
        unchanged = [path for path, blob in zip(paths, files.split(), strict=True) if blob == before[path]]
        if unchanged:
            from_input = ("--pathspec-from-file=-", "--pathspec-file-nul")
            await self.git("--literal-pathspecs", "reset", "--quiet", *from_input, given="\0".join(unchanged))

    async def move_to(self, commit: str) -> bool:
        """Make `commit` what is checked out. Return False where a file that has changed since stands in the way."""
        try:
            await self._between_turns("reset", "--quiet", "--keep", commit)
        except GitError as error:
            logger.warning("work tree not brought up to date", extra={"reason": str(error)})
            return False
        return True

    async def _between_turns(self, *arguments: str) -> None:
        """Run git while nobody else works here. A command that was killed may have left its lock on the index."""
        try:
            await self.git(*arguments)
        except GitError as error:
            if _LOCK not in str(error):
                raise
            await remove_as(self._user, self.path / ".git" / _LOCK)
            await self.git(*arguments)

    async def assigned_to_lfs(self, paths: Sequence[str]) -> list[str]:
        """Return those of `paths` that .gitattributes assigns to Git LFS."""
        if not paths:
            return []
        answer = await self.git("check-attr", "--stdin", "-z", "filter", given="".join(f"{path}\0" for path in paths))
        words = answer.split("\0")
        return [path for path, value in zip(words[::3], words[2::3], strict=False) if value == "lfs"]

    async def has_whole_history(self) -> None:
        """Take the boundary away beyond which there was no history."""
        await remove_as(self._user, self._shallow)

    async def set_refs(self, refs: Mapping[str, str]) -> None:
        """Have each ref name a commit or tag, whatever Claude has made of it. A name that can't be is left out."""
        there = set((await self.git("for-each-ref", "--format=%(refname) %(objectname)")).splitlines())
        await self._update([(ref, sha) for ref, sha in refs.items() if f"{ref} {sha}" not in there])

    async def keep(self, commit: str) -> str:
        """Keep a commit that isn't pushed as a local branch, and return that branch's name."""
        name = f"unpublished-{commit[:7]}"
        await self.set_refs({f"refs/heads/{name}": commit})
        return name

    async def _update(self, refs: Sequence[tuple[str, str]]) -> None:
        """Git takes all of them or none: what one is in the way of is tried in halves."""
        if not refs:
            return
        lines = "".join(f"update {ref}\0{sha}\0\0" for ref, sha in refs)
        try:
            await self.git("update-ref", "--stdin", "-z", given=lines)
        except GitError as error:
            if len(refs) == 1:
                logger.warning("ref not brought up to date", extra={"ref": refs[0][0], "reason": str(error)})
                return
            middle = len(refs) // 2
            await self._update(refs[:middle])
            await self._update(refs[middle:])

    async def leave_out_untracked(self) -> None:
        """Keep files that are untracked now (what the install command made) out of every later commit.

        What nobody ever commits stays out from the start.
        """
        self._made_by_install = await self._untracked("--exclude-standard")
        await self._leave_out()
        await self.newly_uncommitted()

    async def newly_uncommitted(self) -> list[str]:
        """Return what only our own rules keep out of the commits, not the repository's .gitignore: each path once."""
        new = [path for path in await self._untracked(_REPOSITORYS_OWN_RULES) if path not in self._uncommitted]
        if new:
            to_commit = set(await self._untracked("--exclude-standard"))
            new = [path for path in new if path not in to_commit]
        self._uncommitted.update(new)
        return new

    async def _untracked(self, rules: str) -> list[str]:
        """Return files, and folders of which nothing is tracked, that aren't ignored by these rules."""
        return await self._files("--others", "--directory", "--no-empty-directory", rules)

    async def _leave_out(self) -> None:
        """Have Git ignore what is never committed, what builds make here, and what the install command made."""
        described = await self._files("--cached", "--others", "--exclude-standard", "--", *DESCRIPTIONS)
        folders = build_output(described, await self._files("--cached", "--", *CONTENT)) if described else []
        paths = [*(f"{folder}/" for folder in folders), *self._made_by_install]
        rules = "".join([NEVER_COMMITTED, *(f"/{_escaped(path)}\n" for path in paths)])
        if rules != self._left_out:
            await self.write("info/exclude", rules)
            self._left_out = rules

    async def _files(self, *which: str) -> list[str]:
        return [path for path in (await self.git("ls-files", "-z", *which)).split("\0") if path]


def _escaped(path: str) -> str:
    """Quote what gitignore patterns would read as more than a name."""
    return "".join(f"\\{letter}" if letter in "\\*?[ " else letter for letter in path)
