"""Does the repository's code run as a user of its own in each session?

In the agent's image the repository's code and Claude's commands run as the user `workspace`. The supervisor, which has
the session's tokens, runs as another user. Each agent reports whether that's so, and this check reads the rows of up to
25 running sessions. An agent of an older image doesn't report it, and runs everything as one user.

This check only warns: sessions work with one user, and no alarm fires. Sessions stay separate from each other, as each
has its own container, and tokens for its own repository only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.session import reachability, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

MOST_SESSIONS = 25


def run(context: CheckContext) -> Iterator[Finding]:
    """Find the running sessions whose agent has one user for everything."""
    sessions = rows.valid_sessions(context, rows.live_session_ids(context)[:MOST_SESSIONS])
    reports = {session.session_id: session.has_workspace_user for session in sessions}
    said = {session_id: has_user for session_id, has_user in reports.items() if has_user is not None}
    if not said:
        raise NotApplicableError("no running session has reported it")
    without = [session_id for session_id, has_user in said.items() if not has_user]
    if without:
        yield _finding(context, without)


def _finding(context: CheckContext, session_ids: list[str]) -> Finding:
    return Finding(
        resource=", ".join(f"session {session_id}" for session_id in session_ids),
        problem="The repository's code runs as the supervisor's own user in "
        f"{'this session' if len(session_ids) == 1 else 'these sessions'}, and should run as the user `workspace`.",
        impact="It can read the session's tokens and files, and nothing limits its processes, memory and disk.",
        remediation="Deploy the agent's image of this version. If you build on top of it, keep its ENTRYPOINT and USER "
        "(docs/images.md#how-they-are-confined).",
        confirm=reachability.confirm(context.stack, session_ids[0]),
    )


CHECK = Check(
    name="workspace-user",
    question="Does the repository's code run as a user of its own in each session?",
    run=run,
    actions=rows.ACTIONS,
    only_warns=True,
)
