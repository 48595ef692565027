"""Rulesets: which refs may be made, moved and removed, and by whom."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from local_github.actors import Actor, App, Installation, Person
from local_github.bare_repository import NO_COMMIT
from local_github.commit_rules import LINEAR, PATTERNS, SIGNATURES
from local_github.errors import InvalidError
from local_github.permissions import role
from local_github.storage import Row, now

if TYPE_CHECKING:
    from local_github.site import Repository, Site

_ADMIN_ROLE_ID = 5  # GitHub's own number of the repository role "admin"
_WORDS = {
    "creation": "Cannot create ref due to creations being restricted.",
    "update": "Cannot update this protected ref.",
    "deletion": "Cannot delete this protected ref.",
    "non_fast_forward": "Cannot force-push to this branch",
}
_ABOUT_COMMITS = {SIGNATURES, LINEAR, *PATTERNS}
_PREFIXES = {"branch": "refs/heads/", "tag": "refs/tags/"}
_WILDCARDS = re.compile(r"\*\*|\*|\?")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Pattern(_Part):
    """How a commit's message or address has to be."""

    name: str = ""
    negate: bool = False
    operator: Literal["starts_with", "ends_with", "contains", "regex"]
    pattern: str


class RefRule(_Part):
    """A rule about what becomes of a ref, or about what the commits of a push are to each other."""

    type: Literal[
        "creation", "update", "deletion", "non_fast_forward", "required_signatures", "required_linear_history"
    ]


class PatternRule(_Part):
    """A rule about what is written in the commits of a push."""

    type: Literal["commit_message_pattern", "commit_author_email_pattern", "committer_email_pattern"]
    parameters: Pattern


Rule = RefRule | PatternRule  # those that this GitHub enforces


class BypassActor(_Part):
    """One whom the rules do not bind: the App by its id, or everybody of a role."""

    actor_id: int | None = None
    actor_type: Literal["Integration", "OrganizationAdmin", "RepositoryRole"]
    bypass_mode: Literal["always"] = "always"


class RefNames(_Part):
    """Patterns of full ref names; `~ALL` and `~DEFAULT_BRANCH` stand for what they say."""

    include: list[str] = []
    exclude: list[str] = []


class Conditions(_Part):
    """Where the rules hold."""

    ref_name: RefNames = RefNames()


class Ruleset(_Part):
    """What a client asks for."""

    name: str = Field(min_length=1)
    target: Literal["branch", "tag"] = "branch"
    enforcement: Literal["disabled", "active", "evaluate"]
    bypass_actors: list[BypassActor] = []
    conditions: Conditions = Conditions()
    rules: list[Rule] = []


@dataclass(frozen=True)
class Move:
    """A ref that goes from `before` to `after` (NO_COMMIT: it is made, or removed)."""

    ref: str
    before: str
    after: str


def create(site: Site, repo: Repository, wanted: Ruleset) -> Row:
    """Let a ruleset hold for a repository from now on."""
    parts = wanted.model_dump(mode="json")
    return site.storage.insert(
        "rulesets",
        repository_id=repo.id,
        name=wanted.name,
        target=wanted.target,
        enforcement=wanted.enforcement,
        created_at=now(),
        **{name: json.dumps(parts[name]) for name in ("conditions", "rules", "bypass_actors")},
    )


def stored(row: Row) -> Ruleset:
    """Return a ruleset as it was asked for."""
    parts: dict[str, Any] = {name: json.loads(row[name]) for name in ("conditions", "rules", "bypass_actors")}
    return Ruleset(name=row["name"], target=row["target"], enforcement=row["enforcement"], **parts)


def applying(site: Site, repo: Repository, ref: str) -> list[tuple[Row, Rule]]:
    """Return the active rules for a ref, whether there is such a ref or not, each with its ruleset's row."""
    return [
        (row, rule)
        for row in site.storage.all(
            "SELECT * FROM rulesets WHERE repository_id = ? AND enforcement = 'active'", repo.id
        )
        if _holds_for(stored(row), repo, ref)
        for rule in stored(row).rules
    ]


def violations(site: Site, repo: Repository, actor: Actor, move: Move) -> list[str]:
    """Return what forbids the actor to move a ref, in GitHub's words; nothing when it is allowed."""
    broken = {
        _WORDS[rule.type]
        for row, rule in applying(site, repo, move.ref)
        if rule.type in _WORDS and _breaks(repo, rule, move) and not _may_bypass(site, repo, actor, stored(row))
    }
    return sorted(broken)


def commit_rules(site: Site, repo: Repository, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Return the rules that bind the actor about the commits that a push brings to a ref."""
    return [
        rule.model_dump(mode="json")
        for row, rule in applying(site, repo, ref)
        if rule.type in _ABOUT_COMMITS and not _may_bypass(site, repo, actor, stored(row))
    ]


def require_allowed(site: Site, repo: Repository, actor: Actor, move: Move) -> None:
    """Let the actor move a ref.

    Raises:
        InvalidError: a rule forbids it.
    """
    if broken := violations(site, repo, actor, move):
        raise InvalidError("\n\n".join(["Repository rule violations found", *broken, ""]))


def _breaks(repo: Repository, rule: Rule, move: Move) -> bool:
    if move.before == NO_COMMIT:
        return rule.type == "creation"
    if move.after == NO_COMMIT:
        return rule.type == "deletion"
    if rule.type == "non_fast_forward":
        return not repo.git.is_ancestor(move.before, move.after)
    return rule.type == "update"


def _holds_for(ruleset: Ruleset, repo: Repository, ref: str) -> bool:
    names = ruleset.conditions.ref_name
    if not ref.startswith(_PREFIXES[ruleset.target]):
        return False
    return any(_matches(repo, name, ref) for name in names.include) and not any(
        _matches(repo, name, ref) for name in names.exclude
    )


def _matches(repo: Repository, pattern: str, ref: str) -> bool:
    if pattern == "~ALL":
        return True
    if pattern == "~DEFAULT_BRANCH":
        return ref == f"refs/heads/{repo.git.default_branch()}"
    meanings = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    literals = [re.escape(text) for text in _WILDCARDS.split(pattern)]
    wildcards = [meanings[mark] for mark in _WILDCARDS.findall(pattern)]
    expression = "".join(part for pair in zip(literals, [*wildcards, ""], strict=True) for part in pair)
    return re.fullmatch(expression, ref) is not None


def _may_bypass(site: Site, repo: Repository, actor: Actor, ruleset: Ruleset) -> bool:
    is_app = isinstance(actor, App | Installation)
    is_admin = isinstance(actor, Person) and role(site, repo, actor.login) == "admin"
    for exempt in ruleset.bypass_actors:
        match exempt.actor_type:
            case "Integration" if is_app and exempt.actor_id == site.credentials.app_id:
                return True
            case "RepositoryRole" if is_admin and exempt.actor_id == _ADMIN_ROLE_ID:
                return True
            case "OrganizationAdmin" if is_admin:
                return True
    return False
