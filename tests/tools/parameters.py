"""The table of the stack's parameters in docs/deploy.md, as the template has them. `make parameters` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.kit.stack_template import read_template

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "deploy.md"
BEGIN, END = "<!-- parameters: make parameters -->\n", "<!-- /parameters -->\n"


def table(template: dict[str, Any]) -> str:
    """Return one table for each group that the console shows, with each parameter's default and description."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    return "\n".join(_group(group["Label"]["default"], group["Parameters"], template["Parameters"]) for group in groups)


def _group(label: str, names: list[str], parameters: dict[str, Any]) -> str:
    rows = [f"| `{name}` | {_default(parameters[name])} | {_cell(parameters[name]['Description'])} |" for name in names]
    return "\n".join([f"**{label}**\n", "| Parameter | Default | |", "|---|---|---|", *rows, ""])


def _default(parameter: dict[str, Any]) -> str:
    if "Default" not in parameter:
        return "required"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"


def _cell(description: str) -> str:
    """Escape what Markdown would take for a tag, emphasis or the cell's end."""
    return re.sub(r"([<>*|])", r"\\\1", description)


def written(page: str) -> str:
    """Return what stands between the marks."""
    return page.split(BEGIN)[1].split(END, maxsplit=1)[0]


def rewritten(page: str, text: str) -> str:
    """Return the page with this text between the marks."""
    before, after = page.split(BEGIN, maxsplit=1)[0], page.split(END)[1]
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(), table(read_template())))
