"""The pages that a turn has changed, which Claude names in its last message: of these, people see pictures."""

from __future__ import annotations

from cloud_agent_runner.claude.blocks import Block

_BLOCK = Block("pages")
PAGES_LIMIT = 4
_PATH_LIMIT = 200

REQUEST = f"""\
When pages of the preview look different now, end your message with the paths of those that show it best, \
{PAGES_LIMIT} at most, one a line, {_BLOCK.place}: people see pictures of them, before and after. They're taken out \
of your message as well."""


def without_pages(result: str) -> tuple[str, list[str]]:
    """Return a turn's result without the pages that it names, and the first of them that are paths of the preview."""
    rest, found = _BLOCK.taken_out_of(result)
    lines = [line.strip() for part in found for line in part.splitlines()]
    return rest, list(dict.fromkeys(line for line in lines if _is_path(line)))[:PAGES_LIMIT]


def _is_path(line: str) -> bool:
    r"""Whether it leads nowhere but to the preview: to browsers, `//host` and `/\host` are another host's."""
    return (
        line.startswith("/")
        and not line.startswith("//")
        and "\\" not in line
        and " " not in line
        and line.isprintable()
        and len(line) <= _PATH_LIMIT
    )
