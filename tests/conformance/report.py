"""The table of results in docs/proxy-conformance.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.conformance.frameworks import FRAMEWORKS

if TYPE_CHECKING:
    import pytest
    from tests.conformance.dev_server import WorkTree

DOCUMENT = Path(__file__).parents[2] / "docs" / "proxy-conformance.md"
_BEGIN, _END = "<!-- written by make conformance -->\n", "<!-- end -->\n"
CHECKS = {
    "test_a_page_loads_without_errors": "page loads",
    "test_an_edit_shows": "edit shows",
    "test_a_form_posts": "form posts",
    "test_a_login_holds_over_a_reload": "login holds",
    "test_a_websocket_lives": "WebSocket lives",
    "test_a_redirect_stays_on_the_public_host": "redirect stays",
}
_results: dict[tuple[str, str], str] = {}
_versions: dict[str, str] = {}


def note_version(work_tree: WorkTree) -> None:
    """Remember which version of the framework runs."""
    _versions[work_tree.framework.name] = work_tree.version()


def note(item: pytest.Item, result: pytest.TestReport) -> None:
    """Remember how a check went; a failure of its preparation or end is its failure."""
    check = getattr(item, "originalname", "")
    if check not in CHECKS:
        return
    key = item.callspec.params["site"].name, check  # type: ignore[attr-defined]  # of a parametrized test
    if result.failed:
        _results[key] = "✗"
    elif result.skipped:
        _results[key] = "n/a"
    elif result.when == "call":
        _results.setdefault(key, "✓")


def write_if_complete() -> None:
    """Replace the table of the document; a run of only some checks leaves it as it is."""
    if len(_results) < len(CHECKS) * len(FRAMEWORKS):
        return
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    DOCUMENT.write_text(f"{before}{_BEGIN}{_table()}{_END}{after}", encoding="utf-8")


def _table() -> str:
    heads = ["Dev server", "Version", *CHECKS.values()]
    rows = [heads, ["---"] * len(heads)]
    reasons: list[str] = []
    for framework in FRAMEWORKS:
        cells = [framework.title, _versions.get(framework.name, "did not start")]
        for check in CHECKS:
            result = _results[framework.name, check]
            if result == "n/a":
                reason = framework.not_applicable[check]
                if reason not in reasons:
                    reasons.append(reason)
                result = f"n/a ({reasons.index(reason) + 1})"
            cells.append(result)
        rows.append(cells)
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    notes = "".join(f"{number}. {reason}\n" for number, reason in enumerate(reasons, 1))
    return f"\n{table}\nn/a:\n\n{notes}\n"
