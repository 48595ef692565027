"""What a visitor is told whose sign-in led nowhere: one writer per cause."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from cloud_agent_proxy import answers
from cloud_agent_proxy.answers import Answer
from cloud_agent_proxy.sign_in.results import Cause, Failed, Refused

_OPEN_AGAIN = "Open the session's address again to sign in."


def refused(refusal: Refused) -> Answer:
    """GitHub knows the visitor, and does not let them read the repository, which is not named, or there is none."""
    return answers.forbidden(refusal.login)


def failed(failure: Failed, session_id: str) -> Answer:
    """Say why nothing is known of the visitor yet."""
    match failure.cause:
        case Cause.EXPIRED:
            return Answer(
                status=HTTPStatus.BAD_REQUEST,
                error="sign_in_expired",
                title="This sign-in is no longer good",
                message="A sign-in has to be finished within ten minutes, once, and in the browser it was begun in.",
                what_to_do=_OPEN_AGAIN,
            )
        case Cause.DENIED:
            return Answer(
                status=HTTPStatus.FORBIDDEN,
                error="sign_in_denied",
                title="You have not signed in",
                message="Sessions are shown to those who may read their repository. GitHub can tell only if you let "
                "Claude Cloud Agent know who you are.",
                what_to_do=_OPEN_AGAIN,
            )
        case Cause.GITHUB_AWAY:
            return answers.github_not_answering()
        case Cause.SESSIONS_AWAY:
            # The callback's address is good once: this page cannot try again by itself.
            return replace(answers.table_unavailable(session_id), watched=False, what_to_do=_OPEN_AGAIN)
        case Cause.MISCONFIGURED:
            return Answer(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                error="sign_in_misconfigured",
                title="Sign-in is not set up right",
                message="GitHub does not accept this installation's GitHub App, so nobody can sign in.",
                what_to_do="Those who run it find GitHub's reason in the proxy's log.",
            )
        case Cause.NOT_CONFIGURED:
            return Answer(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                error="sign_in_not_configured",
                title="Sign-in is not configured",
                message="Sessions are shown to those who may read their repository, but nobody has connected this "
                "installation's GitHub App for signing in yet.",
                what_to_do="Those who run it put the App's client id and secret into the secret UatSignInSecret and "
                "restart the proxy.",
            )
