"""Two JSONata engines side by side: the embedded AWS's, and the reference implementation where Node.js has it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import jsonata
from ministack.services.stepfunctions import _register_sfn_jsonata_functions  # the embedded AWS's own
from tests.kit.stack_template import ROOT

if TYPE_CHECKING:
    from types import TracebackType

PACKAGES = ROOT / ".node"
NODE = shutil.which("node")
HAS_REFERENCE = NODE is not None and (PACKAGES / "node_modules/jsonata").is_dir()
# What two evaluations can't agree on: both are given the same.
_SETTLED = {
    r"\$now\(\)": "'2026-01-02T03:04:05.678Z'",
    r"\$millis\(\)": "1767323045678",
    r"\$uuid\(\)": "'00000000-0000-4000-8000-000000000000'",
}


class JsonataError(Exception):
    """An expression can't be evaluated."""


class Engines:
    """Evaluates by both and keeps what they don't agree about; the reference's result counts."""

    def __init__(self) -> None:
        self.evaluated: list[str] = []
        self.differences: list[tuple[str, object, object]] = []
        self._lock = threading.Lock()  # an execution evaluates in a thread of its own
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if HAS_REFERENCE:
            script = str(Path(__file__).with_name("jsonata.mjs"))
            self._process = subprocess.Popen(
                [str(NODE), script, str(PACKAGES / "package.json")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()

    def evaluate(self, text: str) -> Any:  # noqa: ANN401 - whatever the expression is
        """Return the value of an expression; None for what is undefined, too, as the interpreter expects it.

        Raises:
            JsonataError: the reference, or without it the embedded AWS's engine, can't evaluate it.
        """
        text = settled(text)
        with self._lock:
            ours = _by_the_embedded_aws(text)
            theirs = self._by_the_reference(text) if self._process else ours
            self.evaluated.append(text)
            if ours != theirs and not ("error" in ours and "error" in theirs):
                self.differences.append((text, ours, theirs))
        if "error" in theirs:
            raise JsonataError(theirs["error"])
        return theirs["value"]

    def _by_the_reference(self, text: str) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{json.dumps(text)}\n")
        process.stdin.flush()
        return dict(json.loads(process.stdout.readline()))


def settled(text: str) -> str:
    """Return an expression with what two evaluations can't agree on decided."""
    for pattern, value in _SETTLED.items():
        text = re.sub(pattern, value, text)
    return text


def _by_the_embedded_aws(text: str) -> dict[str, Any]:
    try:
        expression = jsonata.Jsonata(text)
        _register_sfn_jsonata_functions(expression)
        return {"value": json.loads(json.dumps(expression.evaluate(None)))}
    except Exception as error:  # noqa: BLE001 - the engine raises whatever Python raises
        return {"error": str(error)}
