"""The real agent, but for one thing: no prompt begins before the preview is live or has failed.

So it was before ADR-022, when installation and dev server came first. `first_word.py` compares the two.
"""

from __future__ import annotations

import asyncio
import runpy
from typing import Any

from cloud_agent_runner.turns import Turns

_LOOK_SECONDS = 0.05
_work_on = Turns.work_on


async def _work_after_preview(turns: Turns, prompt: Any, claude: Any, preview: Any, pictures: Any) -> None:  # noqa: ANN401 - handed on
    while preview.report.state == "starting":  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(_LOOK_SECONDS)
    await _work_on(turns, prompt, claude, preview, pictures)


if __name__ == "__main__":
    Turns.work_on = _work_after_preview  # type: ignore[assignment,method-assign]  # that is what it is for
    runpy.run_module("cloud_agent_runner", run_name="__main__")
