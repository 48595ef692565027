"""The pages that visitors see when signing in doesn't work: one function per cause."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlencode

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.pages import Page
from cloud_agent_proxy.sign_in.results import Cause, Failed, Refused

SIGN_IN_PATH = "/.uat/sign-in"
_OPEN_AGAIN = "Open the session's address again to sign in."
_GO_BACK = "To sign in, go back to the page that you came from and try again."


def refused(refusal: Refused) -> Page:
    """Say that the visitor can't read the repository, which isn't named: the session may not even exist."""
    return access_pages.forbidden(refusal.login, _with_another_account(refusal.return_to))


def failed_on_sign_in_host(failure: Failed) -> Page:
    """Say why nothing is known of one who came to write to a session, or to see the index of them."""
    page = failed(failure, "")
    match failure.cause:
        case Cause.EXPIRED:
            return replace(page, what_to_do=_GO_BACK)
        case Cause.DENIED:
            return replace(
                page,
                message="Claude Cloud Agent needs you to sign in with GitHub, to check what you can see and write.",
                what_to_do=_GO_BACK,
                sign_in=f"{failure.return_to}?account",
            )
    return page


def failed(failure: Failed, session_id: str) -> Page:
    """Say why nothing is known of a session's visitor yet."""
    match failure.cause:
        case Cause.EXPIRED:
            return Page(
                status=HTTPStatus.BAD_REQUEST,
                error="sign_in_expired",
                title="This sign-in has expired",
                message="Signing in has to be finished within ten minutes, and in the browser you started in.",
                what_to_do=_OPEN_AGAIN,
            )
        case Cause.DENIED:
            return Page(
                status=HTTPStatus.FORBIDDEN,
                error="sign_in_denied",
                title="You haven't signed in",
                message="Only people who can read the session's repository can see it. To check that, "
                "Claude Cloud Agent needs you to sign in with GitHub.",
                what_to_do=_OPEN_AGAIN,
                sign_in=_with_another_account(failure.return_to),
            )
        case Cause.GITHUB_AWAY:
            return access_pages.github_not_responding()
        case Cause.SESSIONS_AWAY:
            # The callback's address works once: this page can't retry automatically.
            return replace(pages.table_unavailable(session_id), watched=False, what_to_do=_OPEN_AGAIN)
        case Cause.MISCONFIGURED:
            return Page(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                error="sign_in_misconfigured",
                title="Sign-in is misconfigured",
                message="GitHub rejected the credentials of Claude Cloud Agent's GitHub App, so nobody can sign in.",
                what_to_do="Ask your administrator to check the proxy's log for GitHub's reason.",
            )
        case Cause.NOT_CONFIGURED:
            return Page(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                error="sign_in_not_configured",
                title="Sign-in isn't configured",
                message="Only people who can read the session's repository can see it, "
                "but signing in with GitHub hasn't been set up yet.",
                what_to_do="Ask your administrator to add the GitHub App's client ID and client secret to the secret "
                "UatSignInSecret and restart the proxy.",
            )


def _with_another_account(return_to: str) -> str:
    """Return where the sign-in begins anew, on the session's host."""
    return f"{SIGN_IN_PATH}?{urlencode({'return_to': return_to})}"
