"""How far Claude is with its to-do list, whatever the model wrote into it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_agent_runner.claude.todo_list import TodoProgress, todo_progress


def item(status: Any, content: Any = "Test it", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - the model's
    return {"status": status, "content": content, **more}


@pytest.mark.parametrize(
    ("todos", "progress"),
    [
        ([], TodoProgress(0, 0, "")),
        ([item("pending")], TodoProgress(0, 1, "")),
        ([item("completed"), item("in_progress", activeForm="Testing it")], TodoProgress(1, 2, "Testing it")),
        ([item("in_progress"), item("in_progress", "Ship it")], TodoProgress(0, 2, "Test it")),
        ([item("cancelled"), "Test it", item(None)], TodoProgress(0, 2, "")),
        ([item("completed")] * 2_000, TodoProgress(1_000, 1_000, "")),
    ],
)
def test_the_whole_list_is_counted_and_the_item_that_claude_is_at_is_named(
    todos: list[Any], progress: TodoProgress
) -> None:
    assert todo_progress("TodoWrite", {"todos": todos}) == progress


@pytest.mark.parametrize(
    ("tool", "arguments"), [("Bash", {"todos": []}), ("TodoWrite", {}), ("TodoWrite", {"todos": "all"})]
)
def test_what_writes_no_list_says_nothing_of_it(tool: str, arguments: dict[str, Any]) -> None:
    assert todo_progress(tool, arguments) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["status", "content", "activeForm"]), inner),
    max_leaves=10,
)


@given(todos=json_values)
def test_whatever_the_model_wrote_is_no_fault(todos: Any) -> None:  # noqa: ANN401 - any JSON
    progress = todo_progress("TodoWrite", {"todos": todos})
    assert progress is None or 0 <= progress.done <= progress.total
