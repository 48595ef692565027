"""`cloud-agent adopt`, as a person sees it: what was found, what will be done, and what to do next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from cloud_agent_cli.adopt import account, dns_record, load_balancers
from cloud_agent_cli.adopt.import_change_set import adopt
from cloud_agent_cli.adopt.import_template import import_template, resources_to_import
from cloud_agent_cli.adopt.plan import ANY, decide
from cloud_agent_cli.adopt.resources import LISTENER_RULE, TARGET_GROUP, Found
from cloud_agent_cli.adopt.stack import Stack
from cloud_agent_cli.errors import AdoptionError
from cloud_agent_cli.terminal import console, errors, part
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_doctor.engine.errors import DataUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cloud_agent_cli.adopt.plan import Decision
    from cloud_agent_cli.adopt.search import Search


def run(search: Search, client: Callable[[str], Any], folder: Path, confirm: Callable[[str], bool]) -> None:
    """Find, show and write down what can be adopted; adopt it when `confirm` says yes to the question.

    Raises:
        AdoptionError: there is nothing to adopt, it is not clear what, or AWS refused.
    """
    aws = Aws(client)
    try:
        with errors.status("Looking …"):
            stack = Stack(search.stack, aws)
            decisions = decide(account.find(aws, search), stack.resources(), search.wanted)
            record = dns_record.record(aws, search)
        adopted = [decision.adopted for decision in decisions if decision.adopted]
        parameters = _parameters(aws, search, adopted)
        template, resources = import_template(stack.template(), adopted), resources_to_import(adopted)
    except DataUnavailableError as error:
        raise AdoptionError(f"Not everything could be looked at: {error}") from error
    _show(decisions, search, record)
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in {"template.json": template, "resources-to-import.json": resources}.items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n")
    console.print(f"\nWritten: {folder}/template.json and resources-to-import.json.")
    into = f"the stack {search.stack}" if stack.exists else f"a new stack {search.stack}"
    if not confirm(f"Import {', '.join(found.kind.logical_id for found in adopted)} into {into}?"):
        console.print("Nothing was imported.")
        return
    with part(f"import into {search.stack}"):
        adopt(client, stack, template, resources)
    console.print(
        f"\nNow deploy, so that they become what template.yaml says; SAM shows each change first:\n\n"
        f"  {escape(_deployment(search.stack, parameters))}\n"
    )


def requested(resources: Sequence[str]) -> dict[str, str]:
    """`SessionsTable=name` and `SessionsTable` by logical id."""
    return {name: identifier or ANY for name, _, identifier in (each.partition("=") for each in resources)}


def _parameters(aws: Aws, search: Search, adopted: Sequence[Found]) -> dict[str, str]:
    """Return the parameters of template.yaml without which the next deployment would replace what was adopted."""
    parameters = {}
    for found in adopted:
        if found.kind is TARGET_GROUP:
            parameters["VpcId"] = str(found.properties["VpcId"])
        elif found.kind is LISTENER_RULE:
            parameters |= load_balancers.parameters(aws, search, found.properties)
    return parameters


def _deployment(stack: str, parameters: dict[str, str]) -> str:
    overrides = " ".join(f"{name}={value}" for name, value in parameters.items())
    command = f"sam deploy --stack-name {stack}"
    return f"{command} --parameter-overrides {overrides} …" if overrides else f"{command} --guided"


def _show(decisions: Sequence[Decision], search: Search, record: dns_record.Record | None) -> None:
    table = Table("Resource", "Import", "Because of", box=None, header_style="bold")
    for decision in decisions:
        adopted = decision.adopted
        table.add_row(
            decision.kind.logical_id, escape(adopted.identifier) if adopted else "[dim]-[/dim]", escape(decision.words)
        )
    console.print(table)
    if record is not None:
        console.print(
            f"\n[yellow]{search.host_name}[/yellow] leads to {escape(', '.join(record.leads_to))} (zone {record.zone})."
            " CloudFormation cannot import a DNS record:\ndeploy with HostedZoneId empty and leave it as it is, or see"
            " docs/deploy.md to move it into the stack."
        )
