"""The pages that Claude names in a turn's last message."""

from __future__ import annotations

import pytest

from cloud_agent_runner.claude.description import without_description
from cloud_agent_runner.claude.pages import PAGES_LIMIT, without_pages


@pytest.mark.parametrize(
    ("result", "rest", "pages"),
    [
        ("Done.\n\n<pages>\n/menu\n /cart?empty=1 \n</pages>", "Done.", ["/menu", "/cart?empty=1"]),
        ("Done.\n<pages>\n/\n</pages>\n\n(Pushed.)", "Done.\n\n(Pushed.)", ["/"]),
        ("1\n<pages>\n/a\n</pages>\n2\n<pages>\n/b\n/a\n</pages>", "1\n\n2", ["/a", "/b"]),
        ("Done.\n<pages>\n\n</pages>", "Done.", []),
        ("<pages>\n/a\n</pages>", "", ["/a"]),
        ("Done.\n<pages>\n/a", "Done.\n<pages>\n/a", []),
        ("Say <pages> /a </pages>.", "Say <pages> /a </pages>.", []),
        (" Done.\n", "Done.", []),
    ],
)
def test_they_are_taken_out_where_they_are_whole(result: str, rest: str, pages: list[str]) -> None:
    assert without_pages(result) == (rest, pages)


def test_beside_the_description_both_are_taken_out_in_either_order() -> None:
    pages, description = "<pages>\n/a\n</pages>", "<pull-request>\nShow it.\n</pull-request>"
    for parts in (["Done.", description, pages], ["Done.", pages, description]):
        rest, named = without_pages("\n\n".join(parts))
        assert (without_description(rest), named) == (("Done.", "Show it."), ["/a"])


@pytest.mark.parametrize(
    "line",
    [
        "menu",
        "https://github.example/",
        "//github.example/",
        "/\\github.example",
        "/a\\b",
        "/a b",
        "/a\tb",
        "/a\x00",
        "/" + "a" * 200,
        "javascript:alert(1)",
        "- /menu",
        "",
    ],
)
def test_what_is_no_path_of_the_preview_is_passed_over(line: str) -> None:
    assert without_pages(f"Done.\n<pages>\n{line}\n/menu\n</pages>") == ("Done.", ["/menu"])


def test_there_are_so_many_and_no_more() -> None:
    lines = "\n".join(f"/{number}" for number in range(9))
    assert without_pages(f"<pages>\n{lines}\n</pages>")[1] == [f"/{number}" for number in range(PAGES_LIMIT)]


def test_a_path_in_any_script_is_one() -> None:
    path = "/speisekarte/größen/饺子?q=%20#top"
    assert without_pages(f"<pages>\n{path}\n</pages>") == ("", [path])
