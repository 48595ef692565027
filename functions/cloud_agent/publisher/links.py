"""Where the pull request leads those who want to see the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.secrets import read_uat_access_keys
from cloud_agent.domain.session.entry_link import UatAccess, entry_link, session_page
from cloud_agent.domain.session.session import Session, session_url

if TYPE_CHECKING:
    from cloud_agent.settings import PublishingSettings


def session_link(settings: PublishingSettings, session: Session) -> str:
    """Return the session's URL; where access is by link and the session live, with the token that lets in.

    Who sees the link sees the session: it belongs on the pull request, and in no log and no execution's history.

    Raises:
        ConfigurationError: the access keys cannot be read or used.
    """
    url = session_url(settings.uat_url, session.session_id)
    return _entry_link(settings, session, url) or url


def session_page_link(settings: PublishingSettings, session: Session) -> str:
    """Return where the session's own page is, by the same rules.

    Raises:
        ConfigurationError: the access keys cannot be read or used.
    """
    url = session_url(settings.uat_url, session.session_id)
    return session_page(url, _entry_link(settings, session, url))


def _entry_link(settings: PublishingSettings, session: Session, url: str) -> str | None:
    if settings.uat_access is not UatAccess.LINK or not session.status.is_live:
        return None
    return entry_link(url, session, read_uat_access_keys(settings.uat_access_keys_arn).signing_key)
