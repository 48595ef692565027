"""Pushes that GitHub declines, refused in the words of git's own protocol.

A ruleset is broken by what a push would move, or by the commits that it brings, and a missing permission by these, too:
that is found by a hook of git's, once the commits are there. The words of a missing permission:
https://github.com/repo-sync/github-sync/issues/23. The hook also declines pointers of Git LFS without their objects.

The protocol: https://git-scm.com/docs/pack-protocol (pkt-lines, reference update requests, report status).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from local_github.rulesets import Move, commit_rules, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_github.actors import Actor
    from local_github.site import Repository, Site

_MESSAGES, _REPORT = b"\x02", b"\x01"  # channels of the side band
_LENGTH_DIGITS = 4
# GitHub takes workflows from a token without the permission where another branch has them already, and no pointer of
# Git LFS whose object it doesn't have: its words are in https://github.com/git-lfs/git-lfs/issues/3574.
PRE_RECEIVE_HOOK = r"""#!/bin/sh
moves=$(cat)
new_commits() {
  echo "$moves" | while read -r _ new _; do
    case $new in *[!0]*) echo "$new" ;; esac
  done
}
if [ -n "$REFUSED_WORKFLOW" ]; then
  for new in $(new_commits); do
    git log --format= --name-only --diff-filter=d "$new" --not --all -- .github/workflows | head -n 1
  done > "$REFUSED_WORKFLOW"
  [ ! -s "$REFUSED_WORKFLOW" ] || exit 1
fi
if [ -n "$COMMIT_RULES" ]; then
  echo "$moves" | "$PYTHON" -I "$COMMIT_RULES_PROGRAM" || exit 1
fi
new_commits | git rev-list --objects --stdin --not --all | cut -d ' ' -f 1 |
git cat-file --batch-check='%(objectname) %(objecttype) %(objectsize)' |
awk '$2 == "blob" && $3 < 1024 { print $1 }' | git cat-file --batch |
awk 'pointer && /^oid sha256:/ { print substr($2, 8) }
  { pointer = header && /^version https:\/\/git-lfs.github.com\/spec\/v1$/; header = / blob [0-9]+$/ }' |
sort -u | while read -r oid; do
  [ -f "lfs/objects/$(echo "$oid" | cut -c 1-2)/$(echo "$oid" | cut -c 3-4)/$oid" ] || echo "$oid"
done | awk '{ oids = oids "    " $0 "\n" }
  END { if (NR) {
    printf "error: GH008: Your push referenced at least %d unknown Git LFS object%s:\n", NR, (NR > 1 ? "s" : "")
    printf "%sTry to push them with %sgit lfs push --all%s.\n", oids, "\047", "\047"
    exit 1
  } }' >&2
"""
_DECLINED = "push declined due to repository rule violations"


def refusal(site: Site, repo: Repository, actor: Actor, request: BinaryIO) -> bytes | None:
    """Return the answer that declines a push, or None when every ref may be moved; `request` is left at its start."""
    lines = list(_packets(request))
    request.seek(0)
    moves = _moves(lines)
    broken = {move.ref: words for move in moves if (words := violations(site, repo, actor, move))}
    if not broken:
        return None
    return _answer(lines, moves, _DECLINED, "".join(_explain(repo, ref, words) for ref, words in broken.items()))


def commit_rules_of(site: Site, repo: Repository, actor: Actor, request: BinaryIO) -> dict[str, list[dict[str, Any]]]:
    """Return the rules about the commits of a push, by ref, where there are any; `request` is left at its start."""
    moves = _moves(list(_packets(request)))
    request.seek(0)
    rules = {move.ref: commit_rules(site, repo, actor, move.ref) for move in moves}
    return {ref: of_ref for ref, of_ref in rules.items() if of_ref}


def commits_refusal(repo: Repository, request: BinaryIO, broken: dict[str, list[str]]) -> bytes:
    """Return the answer that declines a push for the commits that it brings."""
    request.seek(0)
    lines = list(_packets(request))
    explanation = "".join(_explain(repo, ref, words) for ref, words in broken.items())
    return _answer(lines, _moves(lines), _DECLINED, explanation)


def workflow_refusal(request: BinaryIO, workflow: str) -> bytes:
    """Return the answer that declines a push which brings a workflow that its token may not write."""
    request.seek(0)
    lines = list(_packets(request))
    reason = f"refusing to allow a GitHub App to create or update workflow `{workflow}` without `workflows` permission"
    return _answer(lines, _moves(lines), reason, "")


def _moves(lines: list[bytes]) -> list[Move]:
    commands = [line.partition(b"\0")[0].decode(errors="replace").strip() for line in lines]
    return [
        Move(ref, before, after)
        for before, after, ref in (command.split(" ", 2) for command in commands if command.count(" ") >= 2)  # noqa: PLR2004 - old, new, name
    ]


def _answer(lines: list[bytes], moves: list[Move], reason: str, explanation: str) -> bytes:
    """Decline every move, as git reports it."""
    report = b"".join([_packet(b"unpack ok\n"), *(_packet(f"ng {move.ref} {reason}\n".encode()) for move in moves)])
    report += b"0000"
    if not any(b"side-band-64k" in line.partition(b"\0")[2] for line in lines):
        return report
    messages = _packet(_MESSAGES + explanation.encode()) if explanation else b""
    return messages + _packet(_REPORT + report) + b"0000"


def _explain(repo: Repository, ref: str, words: list[str]) -> str:
    rules_url = f"{repo.html_url}/rules?ref={quote(ref, safe='')}"
    listed = "".join(f"- {sentence}\n\n" for sentence in words)
    found = f"error: GH013: Repository rule violations found for {ref}."
    return f"{found}\nReview all repository rules at {rules_url}\n\n{listed}"


def _packets(request: BinaryIO) -> Iterator[bytes]:
    """Yield the pkt-lines of a request up to the first flush packet."""
    while (digits := request.read(_LENGTH_DIGITS)) not in {b"", b"0000"}:
        yield request.read(int(digits, 16) - _LENGTH_DIGITS)


def _packet(content: bytes) -> bytes:
    return f"{len(content) + _LENGTH_DIGITS:04x}".encode() + content
