"""Does GitHub know the App, with the permissions, events and installations that it needs?

Asks GitHub's API, at the address that the stack was given, with the App's own key: whether it answers and accepts the
key; whether the App has the permissions and listens to the events of docs/deploy.md; whether it is installed anywhere,
and no installation is suspended or still has the permissions of before. With a person's token in place of an App only
this is asked: whether GitHub accepts it.

What is found is mended in GitHub's settings: at the App (Permissions & events), or by the owner of the account that it
is installed on, who has to accept new permissions. A key that is refused is mended by a new one in GitHubSecret.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from cloud_agent.adapters.github.installation_tokens import CONVERSATION_PERMISSIONS, STEP_PERMISSIONS
from cloud_agent.domain.errors import ConfigurationError, GitHubRequestError, GitHubUnavailableError
from cloud_agent_doctor import github
from cloud_agent_doctor.engine.check import CannotLookError, Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_agent_doctor.engine.examination import Examination

    Document = Mapping[str, Any]

PERMISSIONS = STEP_PERMISSIONS | CONVERSATION_PERMISSIONS | {"metadata": "read"}
EVENTS = frozenset(
    {"issues", "issue_comment", "pull_request", "pull_request_review", "pull_request_review_comment"},
)
_LEVELS = ("none", "read", "write", "admin")
_NOTHING_STARTS = "No session starts, and none that runs can say anything on its pull request."


def examine(examination: Examination) -> Iterator[Finding]:
    """Find a GitHub that does not answer, refuses the App, or does not let it do what it must."""
    connection = github.connect(examination)
    try:
        answer = connection.get("/app" if connection.is_app else "/user")
    except GitHubUnavailableError as error:
        yield _unreachable(connection, str(error))
        return
    except ConfigurationError as error:
        yield _refused(examination, connection, str(error))
        return
    if answer.status != HTTPStatus.OK:
        yield _refused(examination, connection, answer.words)
        return
    if not connection.is_app:
        raise NotApplicableError("a person's token, which GitHub accepts: there is no App")
    yield from _of_app(connection, answer.document)
    try:
        installations = connection.get_all("/app/installations?per_page=100")
    except (GitHubUnavailableError, GitHubRequestError) as error:
        raise CannotLookError(str(error)) from error
    yield from _of_installations(connection, answer.document, installations)


def lacking(granted: Mapping[str, str]) -> list[str]:
    """Return the permissions that are missing or lower than needed, as `issues: write`."""
    return [
        f"{name}: {level}"
        for name, level in sorted(PERMISSIONS.items())
        if _LEVELS.index(granted.get(name, "none")) < _LEVELS.index(level)
    ]


def _unreachable(connection: github.GitHub, words: str) -> Finding:
    return Finding(
        resource=connection.api_url,
        problem=f"GitHub's API does not answer from here: {words}.",
        meaning=_NOTHING_STARTS,
        mend=f"Where {connection.api_url} is not GitHub's API, deploy with the right parameter GitHubApiUrl; where it "
        "is, wait for GitHub (https://www.githubstatus.com).",
        confirm=f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {connection.api_url}/meta",
    )


def _refused(examination: Examination, connection: github.GitHub, words: str) -> Finding:
    secret = examination.stack.physical_id("GitHubSecret")
    who = f"the App {connection.credentials.app_id}" if connection.is_app else "the token"
    return Finding(
        resource=secret,
        problem=f"GitHub at {connection.api_url} does not accept {who} of GitHubSecret: {words}",
        meaning=_NOTHING_STARTS,
        mend="Put the id of the App and a private key that its settings list into GitHubSecret, or a token that has "
        "not expired (docs/deploy.md, step 4).",
        confirm=f"aws secretsmanager describe-secret --secret-id {secret} --query LastChangedDate",
        logical_ids=("GitHubSecret",),
    )


def _of_app(connection: github.GitHub, app: Document) -> Iterator[Finding]:
    faults = []
    permissions = lacking(app.get("permissions", {}))
    if permissions:
        faults.append(f"it has not the permissions {', '.join(permissions)}")
    events = sorted(EVENTS - set(app.get("events", [])))
    if events:
        faults.append(f"it does not listen to the events {', '.join(events)}")
    if faults:
        yield Finding(
            resource=app.get("html_url", app["slug"]),
            problem=f"The GitHub App {app['slug']} is not set up as docs/deploy.md says: {'; '.join(faults)}.",
            meaning="What needs them fails, or is never heard of: a label, a comment, a closed pull request.",
            mend="In the App's settings, Permissions & events: grant and tick what is missing; the owner of each "
            "account that it is installed on then accepts the new permissions.",
            confirm=f"gh api apps/{app['slug']}{connection.cli_host} --jq '.permissions, .events'",
        )


def _of_installations(connection: github.GitHub, app: Document, installations: list[Any]) -> Iterator[Finding]:
    if not installations:
        yield Finding(
            resource=app.get("html_url", app["slug"]),
            problem=f"The GitHub App {app['slug']} is installed on no account.",
            meaning="It hears of no issue: labels do nothing.",
            mend="In the App's settings, Install App: install it on the repositories that it is to serve.",
            confirm=f"gh api apps/{app['slug']}{connection.cli_host} --jq .installations_count",
        )
    of_app = set(lacking(app.get("permissions", {})))
    for installation in installations:
        account = (installation.get("account") or {}).get("login", "?")
        not_accepted = [one for one in lacking(installation.get("permissions", {})) if one not in of_app]
        faults = []
        if installation.get("suspended_at"):
            faults.append(f"is suspended since {installation['suspended_at']}")
        if not_accepted:
            faults.append(f"still lacks the App's permissions {', '.join(not_accepted)}")
        if faults:
            yield Finding(
                resource=installation.get("html_url", f"installation {installation['id']}"),
                problem=f"The installation {installation['id']} of {app['slug']} on {account} {' and '.join(faults)}.",
                meaning=f"In the repositories of {account} no session starts, or none can do its work.",
                mend=f"An owner of {account} unsuspends it, or accepts the permissions, under Settings, GitHub Apps.",
                confirm=f"gh api orgs/{account}/installations{connection.cli_host} --jq "
                f"'.installations[] | select(.id=={installation['id']}) | .suspended_at, .permissions'",
            )


CHECK = Check(
    name="github-app",
    question="Does GitHub know the App, with what it needs?",
    examine=examine,
    actions=github.ACTIONS,
)
