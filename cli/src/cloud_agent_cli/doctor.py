"""`cloud-agent doctor`: the doctor's report on a deployed stack, as text or JSON."""

from __future__ import annotations

import inspect
import json
import sys
from typing import TYPE_CHECKING

from rich.markup import escape

from cloud_agent_cli import first_run
from cloud_agent_cli.errors import NoAccountError, ParameterError
from cloud_agent_cli.first_run.deployment import NOT_DEPLOYED, deployment
from cloud_agent_cli.terminal import console, errors
from cloud_agent_doctor import dns, probe
from cloud_agent_doctor.checks import CHECKS
from cloud_agent_doctor.diagnose import diagnose, run_checks
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_doctor.engine.context import CheckContext
from cloud_agent_doctor.engine.errors import DataUnavailableError
from cloud_agent_doctor.engine.findings import Finding, Outcome, Report, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_agent_cli.targets import Target
    from cloud_agent_doctor.engine.check import Check

_MARKS = {
    Status.HEALTHY: "[green]✓[/green]",
    Status.BROKEN: "[red]✗[/red]",
    Status.SKIPPED: "[yellow]·[/yellow]",
    Status.NOT_APPLICABLE: "[dim]-[/dim]",
    Status.UNKNOWN: "[yellow]?[/yellow]",
}
_WARNING = "[yellow]![/yellow]"


def run(target: Target, session_id: str | None, *, as_json: bool) -> int:
    """Check a stack, print the report, and return its exit code: 0 passed, 1 problems, 2 not everything checked."""
    aws = Aws(target.client)
    return _print(
        f"Checking the stack [bold]{escape(target.stack)}[/bold] {escape(target.place)}",
        lambda on_outcome: diagnose(target.stack, aws, session_id=session_id, on_outcome=on_outcome),
        CHECKS,
        as_json=as_json,
    )


def run_first(target: Target, parameters: Mapping[str, str], *, as_json: bool) -> int:
    """Check whether the account is ready for a stack, deployed or not; prints and returns as `run` does.

    Raises:
        NoAccountError: AWS doesn't say which account it is, or whether the stack is there.
    """
    aws = Aws(target.client)
    try:
        region = target.client("cloudformation").meta.region_name
        stack = deployment(aws, target.stack, region, parameters)
    except DataUnavailableError as error:
        raise NoAccountError(f"The stack {target.stack} can't be looked up: {error}") from error
    state = "isn't deployed yet" if stack.status == NOT_DEPLOYED else "is deployed"
    context = CheckContext(aws, stack, dns.resolve, probe.probe_session)
    return _print(
        f"Checking the account {stack.account} {escape(target.place)}; the stack [bold]{escape(stack.name)}[/bold] "
        f"{state}",
        lambda on_outcome: run_checks(first_run.CHECKS, context, on_outcome),
        first_run.CHECKS,
        as_json=as_json,
        guide="docs/doctor.md#before-the-first-deployment",
    )


def _print(
    title: str,
    check: Callable[[Callable[[Outcome], None]], Report],
    checks: Sequence[Check],
    *,
    as_json: bool,
    guide: str | None = None,
) -> int:
    if as_json:
        report = check(lambda _: None)
        sys.stdout.write(json.dumps(report.as_document(), indent=2, ensure_ascii=False) + "\n")
    else:
        console.print(title)
        with errors.status("Checking …") as progress:
            report = check(lambda outcome: progress.update(f"Checking … {outcome.check}"))
        show(report, checks, guide)
    return report.exit_code


def show(report: Report, checks: Sequence[Check], guide: str | None = None) -> None:
    """Print the first broken hop, the chain, and then all other problems; `guide` is what to read about them."""
    console.print(f"\n[bold]{escape(report.stack)}[/bold]: {_verdict(report)}\n")
    first, *others = report.broken or (None,)
    if first is not None:
        _show_findings(first, guide)
    names = max(len(outcome.check) for outcome in report.outcomes)
    questions = {check.name: check.question for check in checks}
    for number, outcome in enumerate(report.outcomes, 1):
        link = "┌" if number == 1 else "└" if number == len(report.outcomes) else "├"
        text = escape(outcome.reason or questions[outcome.check])
        console.print(f"  [dim]{link}[/dim] {_mark(outcome)} {outcome.check:<{names}}  {text}")
    console.print()
    for outcome in others:
        _show_findings(outcome, guide)
    for outcome in report.outcomes:
        for warning in outcome.warnings:
            _show(outcome, warning, _WARNING, guide)


def _mark(outcome: Outcome) -> str:
    if outcome.warnings:
        return _WARNING
    return _MARKS[Status.BROKEN if outcome.findings else outcome.status]


def _verdict(report: Report) -> str:
    count = report.warning_count
    warnings = "" if not count else ", 1 warning" if count == 1 else f", {count} warnings"
    return f"{_result(report)}[yellow]{warnings}[/yellow]" if warnings else _result(report)


def _result(report: Report) -> str:
    if report.broken:
        count, first = report.finding_count, report.broken[0].check
        problems = "1 problem" if count == 1 else f"{count} problems"
        return f"[red]{problems} found[/red]; first broken hop: [bold]{first}[/bold]"
    if report.unknown:
        passed = any(outcome.status is Status.HEALTHY for outcome in report.outcomes)
        verdict = "No problems found, but not everything could be checked" if passed else "Nothing could be checked"
        return f"[yellow]{verdict}[/yellow]"
    return "[green]All checks passed[/green]"


def _show_findings(outcome: Outcome, guide: str | None) -> None:
    for finding in outcome.findings:
        _show(outcome, finding, _MARKS[Status.BROKEN], guide)


def _show(outcome: Outcome, finding: Finding, mark: str, guide: str | None) -> None:
    console.print(f"  {mark} [bold]{outcome.check}[/bold]")
    console.print(f"    [dim]problem[/dim]      {escape(finding.problem)}")
    console.print(f"    [dim]resource[/dim]     {escape(finding.resource)}")
    console.print(f"    [dim]impact[/dim]       {escape(finding.impact)}")
    console.print(f"    [dim]remediation[/dim]  {escape(finding.remediation)}")
    console.print(f"    [dim]confirm[/dim]      {escape(finding.confirm)}")
    console.print(f"    [dim]runbook[/dim]      {guide or f'docs/runbook.md#{outcome.check}'}\n")


def explain(name: str) -> None:
    """Print what one check covers and the permissions it takes.

    Raises:
        ParameterError: there's no such check; lists those that exist.
    """
    known = {check.name: check for check in (*CHECKS, *first_run.CHECKS)}
    if name not in known:
        raise ParameterError(f"--explain {name}: no such check. Available checks: {', '.join(known)}.")
    check = known[name]
    module = sys.modules[check.run.__module__]
    console.print(f"\n[bold]{check.name}[/bold]\n\n{escape(inspect.getdoc(module) or check.question)}\n")
    if check.depends_on:
        console.print(f"Skipped while one of these is broken: {', '.join(check.depends_on)}.")
    console.print(f"Permissions: {', '.join(check.actions)}.")
    if check in CHECKS:
        console.print(f"Runbook: docs/runbook.md#{check.name}\n")
