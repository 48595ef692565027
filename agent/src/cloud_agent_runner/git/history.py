"""The supervisor's bare repository: what its commits are to each other, and new ones made without a work tree."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git.closing_keywords import without_closing
from cloud_agent_runner.git.command import GitError, git
from cloud_agent_runner.git.credit import CLAUDE, SESSION_TRAILER

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from cloud_agent_runner.git.credit import Credit

_PERSON = re.compile(r"^(?:author|committer) (.*) <(.*)> (\d+ [-+]\d+)$", re.MULTILINE)
_COMMIT = "%H%n%P%n%e%n%an%n%ae%n%ad%n%cn%n%ce%n%cd%n%B"


class ConflictError(AgentError):
    """Two sides change the same lines, so that only somebody who understands both can put them together."""


class History:
    """Commits, named by their shas. Every method raises GitError where git fails."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.author = CLAUDE  # of commits that are made here

    @property
    def shallow(self) -> Path:
        """Git's list of the commits whose parents aren't here. There is none where all history is."""
        return self.repository / "shallow"

    async def create(self) -> None:
        """Make the repository, which runs no program of its own and takes nothing from a template."""
        self.repository.mkdir()
        await self.git("init", "--quiet", "--bare", "--template=")

    async def borrow(self, other: History) -> None:
        """Have all that `other` has, in an empty repository, without a copy."""
        (self.repository / "objects" / "info" / "alternates").write_text(f"{other.repository / 'objects'}\n")
        if other.shallow.exists():
            shutil.copyfile(other.shallow, self.shallow)
        await self.git("fetch", "--quiet", "--no-tags", str(other.repository), "+refs/session/*:refs/session/*")

    def take_packs(self, other: History) -> None:
        """Take the packs of another repository on the same disk. Git finds a pack by its index, which comes last."""
        packs = self.repository / "objects" / "pack"
        for kind in ("pack", "rev", "idx"):
            for file in (other.repository / "objects" / "pack").glob(f"*.{kind}"):
                file.rename(packs / file.name)

    def discard_unfinished(self) -> None:
        """Remove what a fetch that failed has left of its pack. No other may run meanwhile."""
        for file in (self.repository / "objects" / "pack").glob("tmp_*"):
            file.unlink(missing_ok=True)

    async def take_tags(self, other: History) -> None:
        """Take the tags of another repository whose objects are here."""
        await self.git("fetch", "--quiet", "--no-tags", str(other.repository), "+refs/tags/*:refs/tags/*")

    async def git(
        self,
        *arguments: str,
        given: str | None = None,
        variables: Sequence[tuple[str, str]] = (),
        largest_file_bytes: int | None = None,
    ) -> str:
        """Run git here, as the supervisor and without a token."""
        return await git(
            *arguments,
            at=self.repository,
            given=given,
            variables=variables,
            largest_file_bytes=largest_file_bytes,
        )

    async def sha(self, name: str) -> str:
        """Return the commit that a ref names."""
        return await self.git("rev-parse", "--verify", f"{name}^{{commit}}")

    async def contains(self, head: str, commit: str) -> bool:
        """Return whether `commit` is `head` or one of its ancestors."""
        return not await self.git("rev-list", "--max-count=1", commit, f"^{head}")

    async def commits(self, head: str, *without: str) -> list[str]:
        """Return `head` and its ancestors that no commit of `without` has, newest first."""
        return (await self.git("rev-list", head, *(f"^{commit}" for commit in without))).split()

    async def lacking(self, head: str, commits: Collection[str]) -> set[str]:
        """Return those of `commits` that are neither `head` nor one of its ancestors."""
        if not commits:
            return set()
        given = "\n".join([*commits, f"^{head}"])
        return set((await self.git("rev-list", "--stdin", given=given)).split()) & set(commits)

    async def tags(self) -> dict[str, str]:
        """Return what each tag names, by its ref."""
        listing = await self.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/tags")
        return dict(line.split(" ") for line in listing.splitlines())

    async def are_related(self, one: str, other: str) -> bool:
        """Return whether both commits have an ancestor in common that is here."""
        return bool(await self._common_ancestors(one, other))

    async def conflicting(self, one: str, other: str) -> bool:
        """Return whether somebody has to decide how both are merged; not without an ancestor in common that is here."""
        try:
            await self._merged_tree(one, other)
        except ConflictError:
            return await self.are_related(one, other)
        return False

    async def _common_ancestors(self, one: str, other: str) -> list[str]:
        """Return the best common ancestor of both, if one is here."""
        try:
            return [await self.git("merge-base", one, other)]
        except GitError:
            return []

    async def same_files(self, one: str, other: str) -> bool:
        """Return whether both commits have the same tree."""
        return await self._tree(one) == await self._tree(other)

    async def merged(self, ours: str, theirs: str, message: str) -> str:
        """Return a merge commit of both.

        Raises:
            ConflictError: a person or Claude has to merge them.
        """
        return await self.commit(await self._merged_tree(ours, theirs), [ours, theirs], message)

    async def commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Return a new commit of Claude's."""
        lineage = [word for parent in parents for word in ("-p", parent)]
        return await self.git(*self._identity, "commit-tree", tree, *lineage, given=message)

    async def on_top(self, commit: str, base: str, *, unless: Collection[str]) -> str:
        """Return a commit with the files of `commit` whose first parent is `base`; `base` where that changes nothing.

        `commit` becomes its other parent, if it adds anything and none of its ancestors beyond `base` is in `unless`.
        """
        beyond = await self.commits(commit, base)
        if not beyond and await self.same_files(commit, base):
            return base
        others = [commit] if beyond and not set(beyond) & set(unless) else []
        message = "Apply rewritten commits on top of the ones already on GitHub"
        return await self.commit(await self._tree(commit), [base, *others], message)

    async def replayed(
        self, work: str, since: str, onto: str, *, unless: Collection[str], merged: str | None = None
    ) -> str:
        """Return `onto` with what the commits from `since`, without it, to `work` change, and nothing else of them.

        They are applied one by one, by the line of their first parents, where that leads to `since`; as one commit
        otherwise, as after a rebase, of which the latest ancestor that is in `merged` becomes another parent. Other
        parents are kept unless one of their ancestors is in `unless`: then what the commit merged of it is left out.

        Raises:
            ConflictError: they don't apply.
        """
        line = await self._first_parents(work, since)
        if line is None:
            base = await self._merged_and_removed(work, since, unless) or since
            line = [(base, work, await self._common_ancestors(work, merged) if merged else [])]
        for parent, commit, others in line:
            news = {other: set(await self.commits(other, onto)) for other in others}
            kept = [other for other, commits in news.items() if commits and not commits & set(unless)]
            # As a change of the parent that is left out: the other's are in `onto` already.
            dropped = [other for other, commits in news.items() if commits & set(unless)]
            onto = await self._applied(dropped[0] if dropped else parent, commit, onto, kept)
        return onto

    async def _merged_and_removed(self, work: str, since: str, removed: Collection[str]) -> str:
        """Return the latest of the removed commits that `work` has on top of `since`, if any."""
        found = [commit for commit in await self.commits(work, since) if commit in removed]
        return found[0] if found and await self.contains(found[0], since) else ""

    async def credited(self, head: str, credit: Credit, *without: str) -> str:
        """Return a copy of `head` in which the author's commits say what the credit does, and none closes an issue.

        `head` itself where that is so already. Only commits that no commit of `without` has are replaced, with those
        that build on them. Nothing else of them changes: files, authors, committers and dates are as they were. What
        names another encoding than UTF-8 becomes UTF-8, without what isn't.
        """
        copies: dict[str, str] = {}
        new = (head, *(f"^{commit}" for commit in without))
        listing = await self.git("log", "-z", "--topo-order", "--reverse", "--date=raw", f"--format={_COMMIT}", *new)
        for entry in filter(None, listing.split("\0")):
            commit, parents, encoding, *people, message = entry.split("\n", 9)
            lineage = [copies.get(parent, parent) for parent in parents.split()]
            if encoding:
                people, message = await self._as_it_is(commit)
            text = without_closing(message)
            is_credited = not credit.trailers or f"\n{SESSION_TRAILER}: " in message
            if people[1] == credit.author.email and not is_credited:
                trailers = [word for trailer in credit.trailers for word in ("--trailer", trailer)]
                text = await self.git("interpret-trailers", "--if-exists", "addIfDifferent", *trailers, given=text)
            if text != message or encoding or lineage != parents.split():  # a copy is in UTF-8, and says nothing of it
                names = [f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE")]
                words = [word for parent in lineage for word in ("-p", parent)]
                people_of = list(zip(names, people, strict=True))
                tree = await self._tree(commit)
                copies[commit] = await self.git("commit-tree", tree, *words, given=text, variables=people_of)
        return copies.get(head, head)

    async def _as_it_is(self, commit: str) -> tuple[list[str], str]:
        """Return who made a commit and its message, as UTF-8: by the encoding that it names, Git reads what it likes.

        Git has author and committer in that encoding, too ("git: pretty.c, format_commit_message").
        """
        headers, _, message = (await self.git("cat-file", "commit", commit)).partition("\n\n")
        people = [word for found in _PERSON.finditer(headers) for word in found.groups()]
        return people, message

    @property
    def _identity(self) -> tuple[str, ...]:
        return ("-c", f"user.name={self.author.name}", "-c", f"user.email={self.author.email}")

    async def _first_parents(self, head: str, since: str) -> list[tuple[str, str, list[str]]] | None:
        """Return first parent, commit and other parents of each on the way to `since`, oldest first."""
        listing = await self.git("rev-list", "--first-parent", "--reverse", "--parents", head, f"^{since}")
        line = [entry.split() for entry in listing.splitlines()]
        if any(len(entry) == 1 for entry in line) or (line and line[0][1] != since):
            return None
        return [(entry[1], entry[0], entry[2:]) for entry in line]

    async def _applied(self, base: str, commit: str, onto: str, others: list[str]) -> str:
        """Return a copy of `commit`, as a change of `base`, after `onto`; `onto` where it brings nothing new."""
        root = await self.commit(await self._tree(base), [], "base")
        sides = [await self.commit(await self._tree(side), [root], "side") for side in (onto, commit)]
        tree = await self._merged_tree(*sides)
        if tree == await self._tree(onto) and not others:
            return onto
        about = await self.git("show", "--no-patch", "--date=raw", "--format=%an%n%ae%n%ad%n%B", commit)
        name, email, date, message = about.split("\n", 3)
        author = [("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", email), ("GIT_AUTHOR_DATE", date)]
        lineage = [word for parent in [onto, *others] for word in ("-p", parent)]
        return await self.git(*self._identity, "commit-tree", tree, *lineage, given=message, variables=author)

    async def _merged_tree(self, ours: str, theirs: str) -> str:
        """Return the files of both; raises ConflictError where somebody has to merge them."""
        try:
            return await self.git("merge-tree", "--write-tree", ours, theirs)
        except GitError as error:
            raise ConflictError(str(error)) from error

    async def _tree(self, commit: str) -> str:
        return await self.git("rev-parse", "--verify", f"{commit}^{{tree}}")
