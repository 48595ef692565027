"""`cloud-agent doctor`: the audit of a deployed stack, drawn for people."""

from __future__ import annotations

import inspect
import json
import sys
from typing import TYPE_CHECKING

from rich.markup import escape

from cloud_agent_cli.errors import ParameterError
from cloud_agent_cli.terminal import console, errors
from cloud_agent_doctor import examine
from cloud_agent_doctor.checks import CHECKS
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_doctor.engine.findings import Outcome, Report, Status

if TYPE_CHECKING:
    from cloud_agent_cli.targets import Target

_MARKS = {
    Status.HEALTHY: "[green]✓[/green]",
    Status.BROKEN: "[red]✗[/red]",
    Status.BEHIND: "[yellow]·[/yellow]",
    Status.NOT_APPLICABLE: "[dim]-[/dim]",
    Status.UNSEEN: "[yellow]?[/yellow]",
}


def run(target: Target, session_id: str | None, *, as_json: bool) -> int:
    """Examine a stack, print what is so, and return the exit code: 0 healthy, 1 findings, 2 could not look."""
    aws = Aws(target.client)
    if as_json:
        report = examine(target.stack, aws, session_id=session_id)
        sys.stdout.write(json.dumps(report.as_document(), indent=2, ensure_ascii=False) + "\n")
    else:
        console.print(f"Checking the stack [bold]{escape(target.stack)}[/bold] {escape(target.place)}")
        with errors.status("Checking …") as progress:
            report = examine(
                target.stack,
                aws,
                session_id=session_id,
                on_outcome=lambda outcome: progress.update(f"Checking … {outcome.check}"),
            )
        show(report)
    return report.exit_code


def show(report: Report) -> None:
    """Show the first broken hop, the chain, and then whatever else is wrong."""
    console.print(f"\n[bold]{escape(report.stack)}[/bold]: {_verdict(report)}\n")
    first, *others = report.broken or (None,)
    if first is not None:
        _show_findings(first)
    names = max(len(outcome.check) for outcome in report.outcomes)
    questions = {check.name: check.question for check in CHECKS}
    for number, outcome in enumerate(report.outcomes, 1):
        link = "┌" if number == 1 else "└" if number == len(report.outcomes) else "├"
        words = escape(outcome.reason or questions[outcome.check])
        console.print(f"  [dim]{link}[/dim] {_MARKS[_shown(outcome)]} {outcome.check:<{names}}  {words}")
    console.print()
    for outcome in others:
        _show_findings(outcome)


def _shown(outcome: Outcome) -> Status:
    return Status.BROKEN if outcome.findings else outcome.status


def _verdict(report: Report) -> str:
    if report.broken:
        count, first = report.finding_count, report.broken[0].check
        things = "1 thing is wrong" if count == 1 else f"{count} things are wrong"
        return f"[red]{things}[/red]; the first broken hop is [bold]{first}[/bold]"
    if all(outcome.status in {Status.UNSEEN, Status.BEHIND} for outcome in report.outcomes):
        return "[yellow]nothing could be checked[/yellow]"
    if report.unseen:
        return "[yellow]nothing found to be wrong, but not everything could be looked at[/yellow]"
    return "[green]every hop is sound[/green]"


def _show_findings(outcome: Outcome) -> None:
    for finding in outcome.findings:
        console.print(f"  [red]✗[/red] [bold]{outcome.check}[/bold]  {escape(finding.problem)}")
        console.print(f"    [dim]concerns[/dim]    {escape(finding.resource)}")
        console.print(f"    [dim]which means[/dim] {escape(finding.meaning)}")
        console.print(f"    [dim]to mend[/dim]     {escape(finding.mend)}")
        console.print(f"    [dim]to confirm[/dim]  {escape(finding.confirm)}")
        console.print(f"    [dim]more[/dim]        docs/runbook.md#{outcome.check}\n")


def explain(name: str) -> None:
    """Say what one check looks at, what it finds and what it takes.

    Raises:
        ParameterError: there is no such check; names those that there are.
    """
    check = next((check for check in CHECKS if check.name == name), None)
    if check is None:
        raise ParameterError(
            f"--explain {name}: there is no such check. There are {', '.join(c.name for c in CHECKS)}."
        )
    module = sys.modules[check.examine.__module__]
    console.print(f"\n[bold]{check.name}[/bold]\n\n{escape(inspect.getdoc(module) or check.question)}\n")
    if check.behind:
        console.print(f"Not judged while one of these is broken: {', '.join(check.behind)}.")
    console.print(f"Takes the permissions: {', '.join(check.actions)}.")
    console.print(f"More: docs/runbook.md#{check.name}\n")
