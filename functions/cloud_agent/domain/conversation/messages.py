"""The texts that the system writes on GitHub. An issue's title and ECS's reasons are data in them, never markup."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX, shown, without_backlinks
from cloud_agent.domain.policy.failures import SETTINGS_ERRORS, SETTINGS_FILE
from cloud_agent.domain.session.provenance import INITIAL_SUBJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.policy.failures import Failure
    from cloud_agent.domain.session.session import Session

TITLE_LIMIT = 256  # characters, GitHub's limit for a title
BODY_LIMIT = 65_536  # characters, GitHub's limit for an issue's, a pull request's or a comment's body
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!@&])")
_BLOCK = re.compile(r"^(\d*)([-+=.)])")  # what would make a line a list, a rule or an underlined heading
_REFERENCE = re.compile(r"(?<=[@#])(?=\w)|(?<=\bGH-)(?=\d)", re.IGNORECASE)
_WORD_JOINER = "\u2060"  # invisible; GitHub looks for mentions and references after it has removed the backslashes


def marker(kind: str, name: str) -> str:
    """Return the hidden line that a comment of ours begins with, by which it is found again."""
    return f"{OWN_PREFIX}{kind}:{name} -->"


def commit_message(issue_key: str) -> str:
    """Return the message of the empty commit without which GitHub opens no draft pull request."""
    return INITIAL_SUBJECT + (f"#{issue_key}" if issue_key.isdecimal() else issue_key)


def environment_name(pull_number: int) -> str:
    """One for each pull request: GitHub deactivates earlier Deployments of the same environment."""
    return f"uat/pr-{pull_number}"


def session_failure(session_id: str, failure: Failure, execution_url: str, next_step: str) -> str:
    """Return what went wrong, what to do, and where to look; the detail is verbatim, folded unless people fix by it."""
    body = (
        f"{marker('failure', session_id)}\n"
        f"### Claude's session failed\n\n"
        f"{sentence(failure.what)}\n\n"
        f"**What to do:** {sentence(failure.advice)} {next_step}\n\n"
    )
    if failure.detail and failure.is_fixed_by_detail:
        body += f"{fenced(failure.detail)}\n\n"
    elif failure.detail:
        body += f"<details><summary>Details</summary>\n\n{fenced(failure.detail)}\n</details>\n\n"
    return body + f"<sub>[Execution in the Step Functions console]({execution_url}) · session `{session_id}`</sub>\n"


def with_settings_file(failure: Failure, session: Session) -> Failure:
    """Return the failure, with a link to the file that has to be fixed, if that's the repository's settings."""
    if failure.error not in SETTINGS_ERRORS:
        return failure
    default = code(session.default_branch) if session.default_branch else "the default branch"
    if failure.error == "DefaultBranchConfigError":
        file = _settings_file(session, session.default_branch or "HEAD")
        return replace(failure, advice=f"Fix [the file on {default}]({file})")
    file = _settings_file(session, session.branch)
    # (the default branch may have none)
    return replace(
        failure, advice=f"Fix [the file on {code(session.branch)}]({file}), or have a correct one on {default}"
    )


def _settings_file(session: Session, branch: str) -> str:
    repository = session.issue_url.rsplit("/", 2)[0]  # of an issue's page, or of a pull request's
    return f"{repository}/blob/{quote(branch)}/{SETTINGS_FILE}"


def restart_by_comment() -> str:
    """Return how to continue where there is a pull request."""
    return "Then comment `/restart` here to start another session on this branch."


def restart_by_label() -> str:
    """Return how to continue where only the label leads to a session."""
    return "Then remove and re-add the label."


def counted(number: int, noun: str) -> str:
    """Return a number of things, in words for one or for several."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def code(text: str) -> str:
    """Return a short text of one line as code, whatever backticks are in it, and without a marker or a token."""
    text = shown(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def plain(text: str) -> str:
    """Untrusted text as literal text in Markdown: no markup, no mention of a person or an issue, one line, no token."""
    line = _REFERENCE.sub(_WORD_JOINER, without_backlinks(" ".join(shown(text).split())))
    return _BLOCK.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", line))


def prose(text: str) -> str:
    """Untrusted text as `plain` has it, but for what it says `in backticks`, which is shown as code."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:  # a backtick without another
        return plain(text)
    return "".join(code(part) if number % 2 and part else _between(part) for number, part in enumerate(parts))


def _between(part: str) -> str:
    """Return what stands between two pieces of code, with the spaces that separate it from them."""
    literal = plain(part)
    return f"{' ' * part.startswith(' ')}{literal}{' ' * (part.endswith(' ') and bool(literal))}"


def shortened(text: str, limit: int) -> str:
    """Return the beginning of the text in at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def sentence(text: str) -> str:
    """Return the text with a full stop, unless it ends with a mark of its own."""
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."


def listed(names: Sequence[str]) -> str:
    """Return the names as people list them: one, two and three."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def fenced(text: str, limit: int = 8_000) -> str:
    """Return the end of a long text in a code fence that the text itself cannot close.

    `limit` characters of the end are kept: an error stands last in a log.
    """
    text = shown(text)
    kept = text if len(text) <= limit else "…\n" + text[-limit:]
    longest = max((len(run) for run in re.findall(r"`{3,}", kept)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{kept}\n{fence}"
