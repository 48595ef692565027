"""The App's installations: suspended, deleted, made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_github.errors import ForbiddenError, NotFoundError
from local_github.storage import Row, now

if TYPE_CHECKING:
    from local_github.site import Site

_SUSPENDED = "This installation has been suspended"


def find_installation(site: Site, installation_id: int) -> Row:
    """Return an installation by its id.

    Raises:
        NotFoundError: there is none, or it was deleted.
    """
    row = site.storage.one("SELECT * FROM installations WHERE id = ? AND deleted_at IS NULL", installation_id)
    if not row:
        raise NotFoundError
    return row


def require_active(row: Row) -> None:
    """Let an installation act only while nobody has suspended it.

    Raises:
        ForbiddenError: somebody has.
    """
    if row["suspended_at"]:
        raise ForbiddenError(_SUSPENDED)


def suspend(site: Site, row: Row) -> None:
    """Take an installation's tokens and webhooks away until `unsuspend`."""
    site.storage.update("installations", row["id"], suspended_at=now())


def unsuspend(site: Site, row: Row) -> None:
    """Undo `suspend`."""
    site.storage.update("installations", row["id"], suspended_at=None)


def delete(site: Site, row: Row) -> None:
    """Take the App away from an account, and with it its tokens there."""
    site.storage.all("DELETE FROM tokens WHERE installation_id = ?", row["id"])
    site.storage.update("installations", row["id"], deleted_at=now())


def install(site: Site, account: str) -> Row:
    """Install the App on an account, under an id of its own; where it is installed already, return that.

    Raises:
        NotFoundError: the App is never installed on this account.
    """
    owner = next((login for login in site.accounts if login.lower() == account.lower()), None)
    if owner is None:
        raise NotFoundError
    return site.installation(owner) or site.storage.insert("installations", account=owner)
