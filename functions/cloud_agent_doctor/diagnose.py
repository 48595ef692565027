"""One run: load the stack, run each check in the order of the path, and report each problem once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cloud_agent_doctor import dns, probe
from cloud_agent_doctor.checks import CHECKS, stack
from cloud_agent_doctor.engine.context import CheckContext
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding, Outcome, Report, Status
from cloud_agent_doctor.engine.stack import load_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_agent_doctor.engine.aws import Aws
    from cloud_agent_doctor.engine.check import Check

# The standard library's: on the command line it writes to stderr, beside the report.
logger = logging.getLogger(__name__)


def diagnose(  # noqa: PLR0913 - the ways to look at the world, each with its default
    stack_name: str,
    aws: Aws,
    *,
    session_id: str | None = None,
    resolve: Callable[[str], frozenset[str]] = dns.resolve,
    probe_session: Callable[[str, str], probe.SessionProbe] = probe.probe_session,
    checks: Sequence[Check] = CHECKS,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Check every hop of a deployed stack and report the broken ones; changes nothing.

    `on_outcome` is called as each check ends. Whatever a check can't read is an outcome of its own, never an error.
    """
    try:
        loaded = load_stack(aws, stack_name)
    except DataUnavailableError as error:
        return _without_stack(
            stack_name, checks, Outcome(stack.CHECK.name, Status.UNKNOWN, reason=str(error)), on_outcome
        )
    if loaded is None:
        missing = Outcome(stack.CHECK.name, Status.BROKEN, (stack.missing(stack_name),))
        return _without_stack(stack_name, checks, missing, on_outcome)
    return run_checks(checks, CheckContext(aws, loaded, resolve, probe_session, session_id), on_outcome)


def run_checks(checks: Sequence[Check], context: CheckContext, on_outcome: Callable[[Outcome], None]) -> Report:
    """Run the checks in their order, and call `on_outcome` as each ends."""
    outcomes: list[Outcome] = []
    for check in checks:
        outcomes.append(_outcome(check, context, outcomes))
        on_outcome(outcomes[-1])
    return Report(context.stack.name, tuple(outcomes))


def _without_stack(name: str, checks: Sequence[Check], first: Outcome, on_outcome: Callable[[Outcome], None]) -> Report:
    reason = first.reason or f"there is no stack {name}"
    others = [Outcome(check.name, Status.SKIPPED, reason=reason) for check in checks if check is not stack.CHECK]
    for outcome in (first, *others):
        on_outcome(outcome)
    return Report(name, (first, *others))


def _outcome(check: Check, context: CheckContext, before: Sequence[Outcome]) -> Outcome:
    broken = [o.check for o in before if o.check in check.depends_on and (o.findings or o.status is Status.SKIPPED)]
    if broken:
        return Outcome(check.name, Status.SKIPPED, reason=f"skipped: depends on {broken[0]}")
    findings: list[Finding] = []
    status, reason = Status.HEALTHY, ""
    try:
        for finding in check.run(context):
            findings.append(finding)  # noqa: PERF402 - what was found before the check failed counts
    except NotApplicableError as error:
        status, reason = Status.NOT_APPLICABLE, str(error)
    except DataUnavailableError as error:
        status, reason = Status.UNKNOWN, str(error)
    except Exception as error:
        logger.exception("check %s failed", check.name)
        status, reason = Status.UNKNOWN, f"the check itself failed: {type(error).__name__}: {error}"
    covered = {name for outcome in before for finding in outcome.findings for name in finding.logical_ids}
    suppressed = [one for one in findings if check.suppress_repeats and covered.intersection(one.logical_ids)]
    new = tuple(finding for finding in findings if finding not in suppressed)
    if check.only_warns:
        return Outcome(check.name, status, reason=reason, suppressed=tuple(suppressed), warnings=new)
    if new and status is Status.HEALTHY:
        status = Status.BROKEN
    return Outcome(check.name, status, new, reason, tuple(suppressed))
