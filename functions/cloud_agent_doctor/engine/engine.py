"""One audit: load the stack, ask each check in the order of the path, and report each thing once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cloud_agent_doctor.checks import CHECKS, stack
from cloud_agent_doctor.engine.check import CannotLookError, Check, NotApplicableError
from cloud_agent_doctor.engine.examination import Examination
from cloud_agent_doctor.engine.findings import Finding, Outcome, Report, Status
from cloud_agent_doctor.network.resolver import resolve
from cloud_agent_doctor.session.probes import Visit, visit
from cloud_agent_doctor.stack.stacks import load_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_agent_doctor.engine.aws import Aws


# The standard library's: on the command line its words go to stderr, beside the report.
logger = logging.getLogger(__name__)


def examine(  # noqa: PLR0913 - the ways to look at the world, each with its default
    stack_name: str,
    aws: Aws,
    *,
    session_id: str | None = None,
    resolver: Callable[[str], frozenset[str]] = resolve,
    visitor: Callable[[str, str], Visit] = visit,
    checks: Sequence[Check] = CHECKS,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Walk the path of a deployed stack and say which hops are broken; changes nothing.

    `on_outcome` is told of each check as it ends. Whatever a check cannot see is an outcome of its own, never an error.
    """
    outcomes: list[Outcome] = []

    def add(outcome: Outcome) -> None:
        outcomes.append(outcome)
        on_outcome(outcome)

    try:
        loaded = load_stack(aws, stack_name)
    except CannotLookError as error:
        loaded, reason = None, str(error)
        add(Outcome(stack.CHECK.name, Status.UNSEEN, reason=reason))
    else:
        if loaded is None:
            reason = f"there is no stack {stack_name}"
            add(Outcome(stack.CHECK.name, Status.BROKEN, (stack.missing(stack_name),)))
    for check in checks:
        if loaded is not None:
            examination = Examination(aws, loaded, session_id, resolver, visitor)
            add(_outcome(check, examination, outcomes))
        elif check is not stack.CHECK:
            add(Outcome(check.name, Status.BEHIND, reason=reason))
    return Report(stack_name, tuple(outcomes))


def _outcome(check: Check, examination: Examination, before: Sequence[Outcome]) -> Outcome:
    moot = [o.check for o in before if o.check in check.behind and (o.findings or o.status is Status.BEHIND)]
    if moot:
        return Outcome(check.name, Status.BEHIND, reason=f"behind {moot[0]}")
    findings: list[Finding] = []
    status, reason = Status.HEALTHY, ""
    try:
        for finding in check.examine(examination):
            findings.append(finding)  # noqa: PERF402 - what was found before the check failed counts
    except NotApplicableError as error:
        status, reason = Status.NOT_APPLICABLE, str(error)
    except CannotLookError as error:
        status, reason = Status.UNSEEN, str(error)
    except Exception as error:
        logger.exception("check %s failed", check.name)
        status, reason = Status.UNSEEN, f"the check itself failed: {type(error).__name__}: {error}"
    told = {name for outcome in before for finding in outcome.findings for name in finding.logical_ids}
    told_before = [one for one in findings if check.only_new and told.intersection(one.logical_ids)]
    new = [finding for finding in findings if finding not in told_before]
    if new and status is Status.HEALTHY:
        status = Status.BROKEN
    return Outcome(check.name, status, tuple(new), reason, tuple(told_before))
