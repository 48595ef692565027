"""Who may do what to a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_github.actors import Actor, Anonymous, App, AppClient, Installation, Person, PersonThroughApp
from local_github.credentials import PERSON
from local_github.errors import ArchivedError, ForbiddenError, NotFoundError, UnauthenticatedError

if TYPE_CHECKING:
    from local_github.site import Repository, Site

LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
# What the App was granted when it was installed; a token has these, or the fewer it was asked for with.
APP_PERMISSIONS = {
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
    "workflows": "write",
}


@dataclass(frozen=True)
class Needs:
    """What an endpoint asks for: an App needs any one of `permissions` at `level`, a person the role `person`."""

    permissions: tuple[str, ...]
    level: str
    person: str
    even_archived: bool = False


def reading(*permissions: str) -> Needs:
    """Ask an App for read access to one of these, a person for the role `read`."""
    return Needs(permissions, "read", "read")


def writing(*permissions: str, person: str = "write") -> Needs:
    """Ask an App for write access to one of these, and a person for a role."""
    return Needs(permissions, "write", person)


ADMINISTERING = Needs(("administration",), "write", "admin", even_archived=True)


def at_least(level: str, wanted: str) -> bool:
    """Compare two of LEVELS."""
    return LEVELS.index(level) >= LEVELS.index(wanted)


def role(site: Site, repository: Repository, login: str) -> str:
    """Return a person's role in a repository: one of LEVELS.

    The owner, and `octo-dev` as administrator of the organization, have `admin`; a collaborator what they were
    given; anybody else reads what is public.
    """
    login = login.lower()
    if login == repository.owner.lower():
        return "admin"
    if login == PERSON.lower() and repository.owner.lower() == site.credentials.owner.lower():
        return "admin"
    row = site.storage.one(
        "SELECT permission FROM collaborators WHERE repository_id = ? AND login = ?", repository.id, login
    )
    if row:
        return str(row["permission"])
    return "none" if repository.row["private"] else "read"


def covers(actor: Installation, repository: Repository) -> bool:
    """Tell whether an installation token reaches a repository at all."""
    if actor.account.lower() != repository.owner.lower():
        return False
    return actor.repositories is None or repository.id in actor.repositories


def may_see(site: Site, actor: Actor, repository: Repository) -> bool:
    """Tell whether the actor may know that the repository exists."""
    if not repository.row["private"]:
        return True
    match actor:
        case PersonThroughApp() if not _installation_over(site, repository):
            return False
        case Person():
            return at_least(role(site, repository, actor.login), "read")
        case Installation():
            return covers(actor, repository)
        case _:
            return False


def authorize(site: Site, actor: Actor, repository: Repository, needs: Needs) -> None:
    """Let the actor pass, or say why not.

    Raises:
        NotFoundError: the actor may not even see the repository.
        UnauthenticatedError: somebody would have to say who they are.
        ForbiddenError: the credential does not reach that far, or the repository is archived.
    """
    if not may_see(site, actor, repository):
        raise NotFoundError
    match actor:
        case Anonymous() if needs.level != "read":
            raise UnauthenticatedError("Requires authentication")
        case Person() if not at_least(role(site, repository, actor.login), needs.person):
            raise ForbiddenError("Must have admin rights to Repository.")
        case PersonThroughApp() if not _granted(_installation_over(site, repository), repository, needs):
            raise ForbiddenError.for_integration()
        case Installation() if not _granted(actor, repository, needs):
            raise ForbiddenError.for_integration()
        case App() | AppClient():
            raise ForbiddenError.for_integration()
    if needs.level == "write" and repository.row["archived"] and not needs.even_archived:
        raise ArchivedError


def _installation_over(site: Site, repository: Repository) -> Installation | None:
    """Return what the App may do in a repository whoever uses it, None where it is not installed or is suspended."""
    row = site.installation(repository.owner)
    if not row or row["suspended_at"]:
        return None
    return Installation(row["account"], row["id"], None, APP_PERMISSIONS, site.credentials.bot)


def _granted(actor: Installation | None, repository: Repository, needs: Needs) -> bool:
    if not actor or not covers(actor, repository):
        return needs.level == "read" and not repository.row["private"]
    return any(at_least(actor.permissions.get(name, "none"), needs.level) for name in needs.permissions)
