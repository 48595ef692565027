"""The pages of visitors who may not see a session, or of whom that isn't known yet."""

from __future__ import annotations

from http import HTTPStatus

from cloud_agent_proxy.pages import Page


def signed_out() -> Page:
    """Say that the visitor hasn't shown that they may see the session, if there is one: the page doesn't tell."""
    return Page(
        status=HTTPStatus.UNAUTHORIZED,
        error="signed_out",
        title="Open this session from its pull request",
        message="Only people with the session's link can see it. This browser hasn't opened the link yet, "
        "or its access has expired (24 hours).",
        what_to_do="You'll find the link in the session's comment on the pull request. Once you've opened it, this "
        "address works too.",
    )


def sign_in_needed() -> Page:
    """Say that the visitor has not signed in with GitHub, or no longer may see the session, if there is one."""
    return Page(
        status=HTTPStatus.UNAUTHORIZED,
        error="signed_out",
        title="Sign in to see this session",
        message="Only people who can read the session's repository on GitHub can see it.",
        what_to_do="Open the session's address in a browser to sign in.",
    )


def link_expired() -> Page:
    """Say that the entry link is too old, damaged or another session's."""
    return Page(
        status=HTTPStatus.UNAUTHORIZED,
        error="link_expired",
        title="This link has expired",
        message="It's too old, or it wasn't copied completely.",
        what_to_do="You'll find the current link in the session's comment on the pull request.",
    )


def other_session() -> Page:
    """Say that a page of another session sent the request, with the visitor's cookies of this one."""
    return Page(
        status=HTTPStatus.FORBIDDEN,
        error="sent_by_another_session",
        title="Blocked a request from another session",
        message="Sessions are isolated: a page of one can link to another, but can't read from it or write to it.",
        what_to_do="Open the session's address directly.",
    )


def forbidden(login: str, sign_in: str) -> Page:
    """GitHub says that who has signed in, as `login`, may not read what the session works on.

    `sign_in` is where to do so with another account.
    """
    return Page(
        status=HTTPStatus.FORBIDDEN,
        error="forbidden",
        title="You don't have access to this session",
        message=f"You're signed in to GitHub as {login}, but this account can't read the session's repository.",
        what_to_do="Ask a repository admin for read access, or sign in with an account that has it.",
        sign_in=sign_in,
    )


def github_not_responding() -> Page:
    """Whether the visitor may see the session could not be asked; nothing was granted."""
    return Page(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="github_not_responding",
        title="GitHub isn't responding",
        message="Your access to this session is checked with GitHub, which can't be reached right now.",
        what_to_do="Open the session's address again in 30 seconds.",
        retry_after_seconds=30,
    )


def too_many_requests(retry_after_seconds: int) -> Page:
    """Say that the visitor, or the session, sends more requests than is good for the others."""
    seconds = "a second" if retry_after_seconds == 1 else f"{retry_after_seconds} seconds"
    return Page(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        error="too_many_requests",
        title="Too many requests",
        message="You've sent too many requests in a short time, or this session's page has.",
        what_to_do=f"Wait {seconds}, then reload this page.",
        retry_after_seconds=retry_after_seconds,
    )


def access_unchecked() -> Page:
    """Whether the visitor may see the session could not be found out; he may well."""
    return Page(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="access_unchecked",
        title="Your access can't be checked right now",
        message="Checking your access to this session took too long.",
        what_to_do="Reload this page in a few seconds.",
        retry_after_seconds=5,
    )
