"""One bare git repository: refs, objects and the few commands that change them."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NO_COMMIT = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_FULL_SHA = re.compile(r"[0-9a-f]{40}")
# The rules of git-check-ref-format, and no component that begins with "-", which git refuses for branches.
_REF = re.compile(r"refs/[^/]+(/[^/]+)+")
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|/[.-]|\.lock(/|$)|\.$")
# As on GitHub: refs/pull/* can be fetched and not pushed, partial clones work. A background gc would outlive the
# server.
_SETTINGS = """\
[receive]
\thideRefs = refs/pull
\tautogc = false
[uploadpack]
\tallowFilter = true
\tallowReachableSHA1InWant = true
[gc]
\tauto = 0
"""
_SHORT_SHA = re.compile(r"[0-9a-f]{4,39}")


class GitCommandError(Exception):
    """A git command ended with a failure; the text is the command's name and its standard error."""


@dataclass(frozen=True)
class Identity:
    """Who wrote a commit."""

    name: str
    email: str


@dataclass(frozen=True)
class TreeEntry:
    """One line of a tree: a file, a folder or a submodule; `size` in bytes, of files only."""

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment in which no configuration of the machine or of its user changes what git does."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


class BareRepository:
    """A bare repository at `path`. No argument of its methods can be mistaken for an option of git."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path = path
        self._environment = environment

    def create(self) -> None:
        """Make the repository, empty, with the default branch `main`."""
        self.path.mkdir(parents=True)
        self.run("init", "--quiet", "--bare", "--initial-branch=main")
        with (self.path / "config").open("a", encoding="utf-8") as config:
            config.write(_SETTINGS)

    def run(self, *arguments: str, stdin: bytes = b"", identity: Identity | None = None) -> bytes:
        """Run git and return its output.

        Raises:
            GitCommandError: git refused.
        """
        environment = self._environment
        if identity:
            environment = environment | {
                "GIT_AUTHOR_NAME": identity.name,
                "GIT_AUTHOR_EMAIL": identity.email,
                "GIT_COMMITTER_NAME": identity.name,
                "GIT_COMMITTER_EMAIL": identity.email,
            }
        ended = subprocess.run(  # noqa: S603 - an argv without a shell; callers keep options and values apart
            ["git", *arguments],  # noqa: S607 - the newcomer's git, wherever it is
            cwd=self.path,
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
        )
        if ended.returncode:
            raise GitCommandError(f"git {arguments[0]}: {ended.stderr.decode(errors='replace').strip()}")
        return ended.stdout

    def text(self, *arguments: str) -> str:
        """Run git and return its output as text without the final newline."""
        return self.run(*arguments).decode(errors="replace").rstrip("\n")

    def succeeds(self, *arguments: str) -> bool:
        """Tell whether a git command ends well."""
        try:
            self.run(*arguments)
        except GitCommandError:
            return False
        return True

    # refs

    @staticmethod
    def is_valid_ref(ref: str) -> bool:
        """Tell whether `ref` is a full name (refs/<kind>/<name>) that git would accept."""
        return _REF.fullmatch(ref) is not None and not _NO_REF.search(ref)

    def ref_sha(self, ref: str) -> str | None:
        """Return the commit a full ref name points at, or None when there is no such ref."""
        if not self.is_valid_ref(ref):
            return None
        if sha := self._branch_file(ref):
            return sha
        try:
            return self.text("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}")
        except GitCommandError:
            return None

    def _branch_file(self, ref: str) -> str | None:
        """Return the commit of a branch that git keeps in a file of its own, as it does with all that was moved here.

        It is asked for several times in each document and webhook, and a process takes a hundred times as long.
        """
        try:
            content = (self.path / ref).read_text(encoding="ascii").rstrip("\n")
        except (OSError, ValueError):
            return None
        return content if ref.startswith("refs/heads/") and _FULL_SHA.fullmatch(content) else None

    def branch_sha(self, branch: str) -> str | None:
        """Return the commit at the tip of a branch, or None."""
        return self.ref_sha(f"refs/heads/{branch}")

    def refs(self, prefix: str) -> dict[str, str]:
        """Return ref name -> sha of all refs whose full name begins with `prefix`."""
        lines = self.text("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        pairs = (line.split(" ", 1) for line in lines)
        return {name: sha for sha, name in pairs if name.startswith(prefix)}

    def update_ref(self, ref: str, new: str, old: str = "") -> None:
        """Move a ref from `old` (NO_COMMIT: it must not exist; nothing: wherever it is) to `new`.

        Raises:
            GitCommandError: the ref is not at `old`, or another ref's name stands in the way.
        """
        self.run("update-ref", "--no-deref", "--stdin", stdin=f"update {ref} {new} {old}".rstrip().encode() + b"\n")

    def delete_ref(self, ref: str, old: str) -> None:
        """Remove a ref that is at `old`.

        Raises:
            GitCommandError: it is not.
        """
        self.run("update-ref", "--no-deref", "--stdin", stdin=f"delete {ref} {old}\n".encode())

    def default_branch(self) -> str:
        """Return the branch HEAD names, which may have no commit yet."""
        return (self.path / "HEAD").read_text(encoding="utf-8").rstrip("\n").removeprefix("ref: refs/heads/")

    def set_default_branch(self, branch: str) -> None:
        """Let HEAD name another branch."""
        self.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def is_empty(self) -> bool:
        """Tell whether no branch has a commit."""
        return not self.refs("refs/heads/")

    # objects

    def resolve(self, name: str) -> str | None:
        """Return the commit that a branch, a tag, a (short) sha or a ref names, or None.

        Git's revision expressions (`main~1`, `:/text`, ...) are not names and give None.
        """
        if _FULL_SHA.fullmatch(name):
            return self._object(f"{name}^{{commit}}")
        for ref in (f"refs/heads/{name}", f"refs/tags/{name}", name, f"refs/{name}"):
            if sha := self.ref_sha(ref):
                return sha
        if name == "HEAD":
            return self.branch_sha(self.default_branch())
        return self._object(f"{name}^{{commit}}") if _SHORT_SHA.fullmatch(name) else None

    def object_of_kind(self, sha: str, kind: str) -> str | None:
        """Return the full sha when `sha` names an object that is, or leads to, one of that kind; else None."""
        return self._object(f"{sha}^{{{kind}}}") if _FULL_SHA.fullmatch(sha) else None

    def _object(self, expression: str) -> str | None:
        try:
            return self.text("rev-parse", "--quiet", "--verify", "--end-of-options", expression)
        except GitCommandError:
            return None

    def tree(self, sha: str, *, recursive: bool = False) -> list[TreeEntry]:
        """Return the entries of a tree, with all that is below them when `recursive`."""
        deep = ("-r", "-t") if recursive else ()
        return self._list_tree(*deep, "--end-of-options", sha)

    def entry(self, sha: str, path: str) -> TreeEntry | None:
        """Return what a commit has at a path, or None."""
        if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
            return None
        entries = self._list_tree("--end-of-options", sha, path)
        return entries[0] if entries else None

    def _list_tree(self, *arguments: str) -> list[TreeEntry]:
        listing = self.run("--literal-pathspecs", "ls-tree", "--full-tree", "-z", "-l", *arguments)
        return [_tree_entry(line) for line in listing.decode(errors="replace").split("\0") if line]

    def blob(self, sha: str) -> bytes:
        """Return the content of a file."""
        return self.run("cat-file", "blob", sha)

    def commit_tree(self, tree: str, parents: list[str], message: str, identity: Identity) -> str:
        """Write a commit object and return its sha."""
        lineage = [argument for parent in parents for argument in ("-p", parent)]
        written = self.run("commit-tree", tree, *lineage, "-F", "-", stdin=message.encode(), identity=identity)
        return written.decode().strip()

    def tree_with_one_file(self, name: str, content: bytes) -> str:
        """Write a tree that holds one file and return its sha."""
        blob = self.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        return self.run("mktree", stdin=f"100644 blob {blob}\t{name}\n".encode()).decode().strip()

    # history

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Tell whether `descendant` contains `ancestor`."""
        return self.succeeds("merge-base", "--is-ancestor", ancestor, descendant)

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor, or None for unrelated histories."""
        try:
            return self.text("merge-base", one, other)
        except GitCommandError:
            return None

    def merged_tree(self, base: str, head: str) -> str | None:
        """Return the tree of a merge of two commits, or None when they conflict."""
        try:
            return self.text("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitCommandError:
            return None


def _tree_entry(line: str) -> TreeEntry:
    attributes, path = line.split("\t", 1)
    mode, kind, sha, size = attributes.split()
    return TreeEntry(mode, kind, sha, int(size) if size.isdigit() else None, path)
